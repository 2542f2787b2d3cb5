"""Every table in one place, for migrations: importing the subjects registers them."""

from storage import access, catalogue, inbound, ledger, messages, people
from storage.base import Base

SUBJECTS = (access, catalogue, inbound, ledger, messages, people)
METADATA = Base.metadata
