"""Tables in, Plotly figures out: one module a subject, each with the finding as `title` and the drawing as `figure`."""
