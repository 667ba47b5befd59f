"""The source finder: noise maps, islands of pixels, and Gaussians fitted to them.

It measures what TraP's PySE measures, by the formulae of Spreeuw (2010, PhD thesis,
University of Amsterdam) and Condon (1997), for all sources of an image at once.
Within it x and y are pixel coordinates, 0-based; a shape is half widths at half
maximum in pixels, and an angle in radians from +y towards -x.
"""
