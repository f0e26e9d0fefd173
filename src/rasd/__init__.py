"""Rasd: customer service that can prove itself."""
