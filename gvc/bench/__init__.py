"""What encoding and decoding cost, and which part of it is the network: the measurements behind `gvc bench`."""
