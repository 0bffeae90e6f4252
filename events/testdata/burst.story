# Fifty notices while one look is under way make one more look, not fifty.
0m noticed
	-> 1 look
	busy, wakes in 1h0m0s
1s noticed
	busy, wakes in 59m59s
1s noticed
	busy, wakes in 59m58s
1s noticed
	busy, wakes in 59m57s
0s seen
	seen: threat=secured compliance=compliant
	-> 2 look
	busy, wakes in 1h0m0s
1s seen
	rest
