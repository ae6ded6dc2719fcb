"""The bundled closed-form prior."""

from .prior import VERSIONS, GpPrior

__all__ = ["VERSIONS", "GpPrior"]
