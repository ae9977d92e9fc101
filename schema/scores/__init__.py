"""Health, churn risk and the models behind them."""
