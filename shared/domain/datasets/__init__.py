"""Dataset versions: which uploads become one, and the parts they are made of."""
