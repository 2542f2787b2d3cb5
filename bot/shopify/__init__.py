"""Shopify's webhooks: taken once, from shops on our list, each topic by a handler of its own."""
