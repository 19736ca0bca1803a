"""Walk-forward backtest: a bank's past, month by month, through policies of which each knows only what lies behind it."""
