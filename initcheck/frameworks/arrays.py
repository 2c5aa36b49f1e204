"""Arrays of any framework as NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def as_array(values: Any) -> npt.NDArray[Any]:
    """The values of a tensor of any framework, in its dtype; ``ml_dtypes`` names those that NumPy lacks."""
    package = type(values).__module__.partition(".")[0]
    if package == "torch":
        return _of_torch(values)
    # TensorFlow hands NumPy a scalar of a dtype that NumPy lacks as a scalar, and NumPy asks for an array.
    return np.asarray(values.numpy() if package == "tensorflow" and hasattr(values, "numpy") else values)


def _of_torch(values: Any) -> npt.NDArray[Any]:
    tensor = values.detach().cpu()
    if str(tensor.dtype) != "torch.bfloat16":
        return np.array(tensor.numpy())  # not its memory, which optimizers write to
    import ml_dtypes  # torch's own conversion refuses this dtype; float32 holds all of its values

    return tensor.float().numpy().astype(ml_dtypes.bfloat16)  # type: ignore[no-any-return]
