"""One image: its pixels, its histogram, and the contrast methods."""
