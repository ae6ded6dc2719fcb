"""The bundled prior with a learned last step."""

from .prior import VERSIONS, NeuralPrior

__all__ = ["VERSIONS", "NeuralPrior"]
