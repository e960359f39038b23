"""A project whose views say how a request has reached them."""
