"""Languages of the pages: the texts and how they are collected."""
