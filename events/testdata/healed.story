# Defender's automation heals the laptop within the grace: a mail, and a mail
# that all is well. Nothing else goes out.
0m seen threat=mediumSeverity alert=a1:medium:new:running
	seen: threat=mediumSeverity compliance=compliant alert=a1
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 5h59m0s
30m noticed
	-> 2 look
	open, wakes in 1h0m0s
0m seen threat=secured alert=a1:medium:new:successfullyRemediated sync=now
	seen: threat=secured compliance=compliant
	seen healthy
	clearing, wakes in 30m0s
30m rang
	-> 3 look
	clearing, wakes in 1h0m0s
1m seen
	case closed by proof
	mail cleared
	-> 4 mail cleared
	busy, wakes in 1h0m0s
1m done 4
	mail cleared done
	rest
