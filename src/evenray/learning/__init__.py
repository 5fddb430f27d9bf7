"""What is learnt from the cases: networks, remedies for imbalance, training and prediction."""
