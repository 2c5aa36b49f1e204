"""What a page of HTML consists of, for tests that read one."""

from html.parser import HTMLParser


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        """Keeps one tag."""
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        """Keeps what is shown."""
        self.text.append(data)
