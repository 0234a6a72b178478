"""A hook of mkdocs: links from a page to files of the repository become links to its web page.

A link to a missing file is a warning, which `mkdocs build --strict` turns into an error.
"""

from __future__ import annotations

import logging
import posixpath
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
_LINK = re.compile(r'(\]\()((?!https?:|mailto:|#)[^)\s#]+)((?:#[^)\s]*)?\))')
_log = logging.getLogger('mkdocs.hooks.docs_links')


def on_page_markdown(markdown: str, page, config, **_) -> str:
    """Return the page's text with links that leave docs/ made absolute."""
    folder = posixpath.join('docs', posixpath.dirname(page.file.src_uri))

    def absolute(match: re.Match) -> str:
        target = posixpath.normpath(posixpath.join(folder, match[2]))
        if target.startswith('docs/'):
            return match[0]
        if not (ROOT / target).exists():
            _log.warning(f'{page.file.src_uri}: {match[2]} does not exist')
        return f'{match[1]}{config.repo_url}/blob/main/{target}{match[3]}'

    return _LINK.sub(absolute, markdown)
