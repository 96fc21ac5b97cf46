print("minprom")
