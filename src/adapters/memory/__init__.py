"""Write-side repositories in memory, for fast tests and for the contract suites."""
