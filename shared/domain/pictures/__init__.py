"""Pictures (SVG) of what was found, drawn by code: whoever reads the API gets them, with a browser or without."""
