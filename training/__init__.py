"""How the network of `neural` is trained (training/README.md)."""
