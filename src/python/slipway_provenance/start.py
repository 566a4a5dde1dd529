"""How the program was started, told by `sitecustomize`."""

# The working folder at the start; None until it was told.
folder = None
