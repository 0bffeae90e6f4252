# Intune does not know the device, or knows it twice: a person must help.
0m noticed
	-> 1 look
	busy, wakes in 1h0m0s
0m failed 1 3 managed devices have this Entra device id
	look given up: 3 managed devices have this Entra device id
	case opened for a person
	a person must help: 3 managed devices have this Entra device id
	ticket to desk
	-> 2 ticket desk attention
	attention, wakes in 1h0m0s
1m done 2 INC-5
	ticket to desk done: INC-5
	attention, wakes in 23h59m0s
24h rang
	-> 3 look
	attention, wakes in 1h0m0s
1m failed 3 3 managed devices have this Entra device id
	look given up: 3 managed devices have this Entra device id
	attention, wakes in 24h0m0s
1h closed removed the duplicates
	case closed by ana: removed the duplicates
	close to desk
	-> 4 close desk INC-5
	busy, wakes in 1h0m0s
1m done 4
	close to desk done
	rest
