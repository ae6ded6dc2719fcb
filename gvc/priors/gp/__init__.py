"""The bundled closed-form prior."""

from .prior import GpPrior

__all__ = ["GpPrior"]
