"""Training and measuring the priors; needs torch and is left out of the installed extension."""
