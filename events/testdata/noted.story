# A remark changes nothing but the timeline, even that of a case at rest.
0m noted user is on holiday
	ana notes: user is on holiday
	rest
1h rang
	rest
