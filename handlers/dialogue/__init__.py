"""The dialogue with the model. Knows neither Telegram nor HTTP."""
