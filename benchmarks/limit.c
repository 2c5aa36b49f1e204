/* The limit of this machine: the same training for LANES models at a time, all cores, built for this processor.
   usage: limit HIDDEN MODELS TABLE   (TABLE: 960×4 inputs, 960 targets, as float32; 5×960 rows' order, as int32) */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LANES 32
#define ROWS 960
#define BATCH 16
#define EPOCHS 5
#define MOST 8
static const float RATE = 0.01f, RHO = 0.9f, EPSILON = 1e-7f;
static float X[ROWS][4], Y[ROWS];
static int ORDER[EPOCHS][ROWS];

typedef float Lanes[LANES];

static unsigned long long mix(unsigned long long z) { /* splitmix64 */
    z += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static void glorot(Lanes *w, int n, float fans, unsigned long long seed) {
    float limit = sqrtf(6.0f / fans);
    for (int i = 0; i < n; i++)
        for (int l = 0; l < LANES; l++)
            w[i][l] = limit * (2.0f * (float)(mix(seed * 1000003ull + i * LANES + l) >> 40) / (float)(1 << 24) - 1.0f);
}

static void update(Lanes *w, Lanes *s, Lanes *g, int n) {
    for (int i = 0; i < n; i++)
        for (int l = 0; l < LANES; l++) {
            s[i][l] = RHO * s[i][l] + (1 - RHO) * g[i][l] * g[i][l];
            w[i][l] -= RATE * g[i][l] / sqrtf(s[i][l] + EPSILON);
        }
}

/* Weights in one row: kernel 4×H, bias H, kernel H, bias 1; without hidden units: kernel 4, bias 1. */
static void train(int H, unsigned long long seed, float *losses) {
    Lanes w[6 * MOST + 1], s[6 * MOST + 1], g[6 * MOST + 1], a[MOST];
    int n = H ? 6 * H + 1 : 5;
    memset(w, 0, sizeof w);
    memset(s, 0, sizeof s);
    if (H) {
        glorot(w, 4 * H, 4 + H, seed);
        glorot(w + 5 * H, H, H + 1, seed ^ 0x5555);
    } else
        glorot(w, 4, 5, seed);
    Lanes total;
    for (int e = 0; e < EPOCHS; e++) {
        memset(total, 0, sizeof total);
        for (int b = 0; b < ROWS; b += BATCH) {
            memset(g, 0, sizeof g);
            for (int r = 0; r < BATCH; r++) {
                const float *x = X[ORDER[e][b + r]], y = Y[ORDER[e][b + r]];
                Lanes z;
                for (int h = 0; h < H; h++)
                    for (int l = 0; l < LANES; l++)
                        a[h][l] = tanhf(w[h][l] * x[0] + w[H + h][l] * x[1] + w[2 * H + h][l] * x[2] +
                                        w[3 * H + h][l] * x[3] + w[4 * H + h][l]);
                for (int l = 0; l < LANES; l++) {
                    if (H) {
                        float sum = w[6 * H][l];
                        for (int h = 0; h < H; h++) sum += w[5 * H + h][l] * a[h][l];
                        z[l] = sum;
                    } else
                        z[l] = w[0][l] * x[0] + w[1][l] * x[1] + w[2][l] * x[2] + w[3][l] * x[3] + w[4][l];
                }
                for (int l = 0; l < LANES; l++) {
                    float q = expf(-fabsf(z[l])), p = (z[l] > 0 ? 1.0f : q) / (1.0f + q);
                    total[l] += fmaxf(z[l], 0) - z[l] * y + logf(1.0f + q);
                    z[l] = (p - y) / BATCH;
                }
                if (H) {
                    for (int h = 0; h < H; h++)
                        for (int l = 0; l < LANES; l++) {
                            float d = z[l] * w[5 * H + h][l] * (1.0f - a[h][l] * a[h][l]);
                            g[5 * H + h][l] += z[l] * a[h][l];
                            g[h][l] += d * x[0];
                            g[H + h][l] += d * x[1];
                            g[2 * H + h][l] += d * x[2];
                            g[3 * H + h][l] += d * x[3];
                            g[4 * H + h][l] += d;
                        }
                    for (int l = 0; l < LANES; l++) g[6 * H][l] += z[l];
                } else
                    for (int l = 0; l < LANES; l++) {
                        for (int i = 0; i < 4; i++) g[i][l] += z[l] * x[i];
                        g[4][l] += z[l];
                    }
            }
            update(w, s, g, n);
        }
    }
    for (int l = 0; l < LANES; l++) losses[l] = total[l] / ROWS;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int hidden = atoi(argv[1]), models = atoi(argv[2]);
    FILE *file = fopen(argv[3], "rb");
    if (hidden > MOST || !file || fread(X, sizeof X, 1, file) != 1 || fread(Y, sizeof Y, 1, file) != 1 ||
        fread(ORDER, sizeof ORDER, 1, file) != 1)
        return 2;
    fclose(file);
    float *losses = malloc((models + LANES) * sizeof *losses);
    double start = omp_get_wtime(), mean = 0;
#pragma omp parallel for schedule(dynamic, 4)
    for (int first = 0; first < models; first += LANES) train(hidden, first / LANES + 1, losses + first);
    double seconds = omp_get_wtime() - start;
    for (int m = 0; m < models; m++) mean += losses[m] / models;
    printf("%.6f %.6f\n", seconds, mean);
    return 0;
}
