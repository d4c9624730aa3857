"""`site`: which pages a site has, each captured once, and what of them is left out."""
