"""Deliveries of Shopify."""
