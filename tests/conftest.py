"""How many examples a property is asked for: few at the desk, many in CI, most in a campaign.

Fewest against mutants: each of thousands gets all the tests, and a run is the same every time.
"""

from hypothesis import settings

settings.register_profile("dev", max_examples=100, deadline=None)
settings.register_profile("ci", max_examples=1_000, deadline=None, derandomize=True)
settings.register_profile("campaign", max_examples=100_000, deadline=None)
settings.register_profile("mutation", max_examples=20, deadline=None, derandomize=True)
settings.load_profile("dev")
