package handlers

func spanish() words {
	return words{
		reference: "es",
		malware:   "Hay software malicioso en el dispositivo: «%1»%2",
		fix:       "Abra «Seguridad de Windows», elija «Protección antivirus y contra amenazas» y siga las recomendaciones; reinicie el dispositivo si se le pide.",
		alert:     "Microsoft Defender comunica «%1»%2",
		anAlert:   "una alerta",
		severity:  ", nivel de gravedad: %1",
		risk:      "Nivel de riesgo del dispositivo según Microsoft Defender: %1",
		harmful:   "Se ha encontrado algo dañino en el dispositivo",
		alarmed:   "Microsoft Defender ha detectado en el dispositivo algo que puede ser dañino",
		unsaid:    "El dispositivo no cumple las normas de su organización; no se ha indicado cuál",
		named:     "(opción «%1» de la directiva «%2»)",
		unknown:   "Una opción que exige su organización no está configurada como debería",
		calendar: calendar{
			moment: "{weekday}, {day} de {month} de {year}, a las {time} h ({zone})", first: "1", clock: "15:04",
			days:   "domingo lunes martes miércoles jueves viernes sábado",
			months: "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
		},
		grades: map[string]string{
			"informational": "informativo", "low": "bajo", "medium": "medio", "moderate": "medio", "high": "alto", "severe": "crítico",
			"compromised": "dispositivo comprometido",
		},
		subjects: map[subject]Finding{
			encryption: {
				"El disco no está cifrado",
				"Conecte el cargador, abra Configuración, busque «BitLocker» o «Cifrado de dispositivo» y active el cifrado.",
			},
			contact: {
				"El dispositivo lleva demasiado tiempo sin comunicarse con su organización",
				"Conecte el dispositivo a Internet, abra Configuración > Cuentas > Obtener acceso a trabajo o escuela, elija su cuenta, después «Información» y después «Sincronizar».",
			},
			version: {
				"El sistema operativo no está actualizado",
				"Abra Configuración > Windows Update, instale todo lo que se le ofrezca y reinicie el dispositivo.",
			},
			firewall: {
				"El firewall está desactivado",
				"Abra «Seguridad de Windows», elija «Firewall y protección de red» y active el firewall para cada red.",
			},
			watching: {
				"La protección antivirus no vigila el dispositivo en todo momento",
				"Abra «Seguridad de Windows», elija «Protección antivirus y contra amenazas», después «Administrar la configuración», y active la protección en tiempo real.",
			},
			signatures: {
				"La protección antivirus no está actualizada",
				"Abra «Seguridad de Windows», elija «Protección antivirus y contra amenazas» y después «Buscar actualizaciones».",
			},
			antivirus: {
				"La protección antivirus está desactivada",
				"Abra «Seguridad de Windows», elija «Protección antivirus y contra amenazas» y actívela.",
			},
			danger:  {"El riesgo del dispositivo es mayor de lo que permite su organización", ""},
			startup: {"Una protección del arranque del dispositivo está desactivada", ""},
			password: {
				"La contraseña o el PIN del dispositivo no cumple las normas",
				"Abra Configuración > Cuentas > Opciones de inicio de sesión y cambie la contraseña o el PIN.",
			},
			owner: {"El usuario para el que se configuró el dispositivo ya no existe", ""},
		},
	}
}
