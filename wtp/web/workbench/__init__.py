"""The author's workbench under /manage/<slug>: write a study in forms, look it over, publish it, try it out."""

from wtp.web.workbench import editor, pictures, preview, publishing, source, studies, texts, tryout
from wtp.web.workbench.desk import blueprint

__all__ = ["blueprint", "editor", "pictures", "preview", "publishing", "source", "studies", "texts", "tryout"]
