"""What is known of customers beside the choices: why they call, what they bought, how their day goes, what they expected and what they met.

Pure functions of frames; who may read which figure is decided in `wtp.analysis`.
"""
