"""The bundled prior with a learned last step."""

from .prior import NeuralPrior

__all__ = ["NeuralPrior"]
