"""What came of campaigns and of opting in: reports, read from sums and from the ledger."""
