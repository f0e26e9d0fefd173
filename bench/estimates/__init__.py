"""How good estimates are, on made-up homes and on real ones that a package ships: docs/estimates.md."""
