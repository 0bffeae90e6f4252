package handlers

func french() words {
	return words{
		reference: "fr",
		malware:   "Un logiciel malveillant se trouve sur l’appareil : « %1 »%2",
		fix:       "Ouvrez « Sécurité Windows », choisissez « Protection contre les virus et menaces » et suivez les recommandations ; redémarrez l’appareil si cela vous est demandé.",
		alert:     "Microsoft Defender signale « %1 »%2",
		anAlert:   "une alerte",
		severity:  ", niveau de gravité : %1",
		risk:      "Niveau de risque de l’appareil selon Microsoft Defender : %1",
		harmful:   "Un élément dangereux a été trouvé sur l’appareil",
		alarmed:   "Microsoft Defender a remarqué sur l’appareil quelque chose qui peut être dangereux",
		unsaid:    "L’appareil ne respecte pas les règles de votre organisation ; laquelle n’a pas été précisée",
		named:     "(paramètre « %1 » de la stratégie « %2 »)",
		unknown:   "Un paramètre exigé par votre organisation n’est pas réglé comme il le devrait",
		calendar: calendar{
			moment: "{weekday} {day} {month} {year} à {time} ({zone})", first: "1er", clock: "15 h 04",
			days:   "dimanche lundi mardi mercredi jeudi vendredi samedi",
			months: "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
		},
		grades: map[string]string{
			"informational": "pour information", "low": "faible", "medium": "moyen", "moderate": "moyen", "high": "élevé", "severe": "critique",
			"compromised": "appareil compromis",
		},
		subjects: map[subject]Finding{
			encryption: {
				"Le disque n’est pas chiffré",
				"Branchez l’appareil sur secteur, ouvrez Paramètres, recherchez « BitLocker » ou « Chiffrement de l’appareil », puis activez le chiffrement.",
			},
			contact: {
				"L’appareil n’a pas donné de nouvelles à votre organisation depuis trop longtemps",
				"Connectez l’appareil à Internet, ouvrez Paramètres > Comptes > Accès Professionnel ou Scolaire, choisissez votre compte, puis « Info », puis « Synchroniser ».",
			},
			version: {
				"Le système d’exploitation n’est pas à jour",
				"Ouvrez Paramètres > Windows Update, installez tout ce qui est proposé, puis redémarrez l’appareil.",
			},
			firewall: {
				"Le pare-feu est désactivé",
				"Ouvrez « Sécurité Windows », choisissez « Pare-feu et protection du réseau », puis activez le pare-feu pour chaque réseau.",
			},
			watching: {
				"La protection antivirus ne surveille pas l’appareil en permanence",
				"Ouvrez « Sécurité Windows », choisissez « Protection contre les virus et menaces », puis « Gérer les paramètres », et activez la protection en temps réel.",
			},
			signatures: {
				"La protection antivirus n’est pas à jour",
				"Ouvrez « Sécurité Windows », choisissez « Protection contre les virus et menaces », puis « Rechercher les mises à jour ».",
			},
			antivirus: {
				"La protection antivirus est désactivée",
				"Ouvrez « Sécurité Windows », choisissez « Protection contre les virus et menaces », puis activez-la.",
			},
			danger:  {"Le risque de l’appareil est plus élevé que ce que votre organisation autorise", ""},
			startup: {"Une protection du démarrage de l’appareil est désactivée", ""},
			password: {
				"Le mot de passe ou le code PIN de l’appareil ne respecte pas les règles",
				"Ouvrez Paramètres > Comptes > Options de connexion, puis modifiez le mot de passe ou le code PIN.",
			},
			owner: {"L’utilisateur pour lequel l’appareil a été configuré n’existe plus", ""},
		},
	}
}
