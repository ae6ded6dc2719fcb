"""The engine process behind libgvc: `python -m gvc.engine` serves one encoder or decoder over an inherited socket."""
