package mail

import (
	"slices"

	"curfew/handlers"
)

// phrases are what mails say in one language besides their templates and what
// handlers.Findings says. Names in braces are filled in.
type phrases struct {
	tag    string
	ask    string // whom to ask, if the configuration does not say
	online string // a step
	unsure string // a step: {ask}
}

// spoken are the languages that mails are written in, English first: those of
// handlers.Languages.
func spoken() []phrases {
	return []phrases{
		{
			tag: "en", ask: "your IT help desk",
			online: "Leave the device switched on and connected to the internet, so that it can report that it is healthy again.",
			unsure: "If something is unclear, or if you did not expect this, ask {ask}. Do not open suspicious files or links to find out.",
		},
		{
			tag: "de", ask: "Ihr IT-Helpdesk",
			online: "Lassen Sie das Gerät eingeschaltet und mit dem Internet verbunden, damit es melden kann, dass es wieder in Ordnung ist.",
			unsure: "Wenn etwas unklar ist oder Sie diese Nachricht nicht erwartet haben, fragen Sie bitte nach (Kontakt: {ask}). Öffnen Sie keine verdächtigen Dateien oder Links, um es herauszufinden.",
		},
		{
			tag: "fr", ask: "votre assistance informatique",
			online: "Laissez l’appareil allumé et connecté à Internet, afin qu’il puisse signaler que tout est rentré dans l’ordre.",
			unsure: "En cas de doute, ou si vous ne vous attendiez pas à ce message, renseignez-vous (contact : {ask}). N’ouvrez pas de fichiers ni de liens suspects pour en avoir le cœur net.",
		},
		{
			tag: "es", ask: "el servicio de asistencia informática",
			online: "Deje el dispositivo encendido y conectado a Internet para que pueda comunicar que vuelve a estar en orden.",
			unsure: "Si algo no está claro o no esperaba este mensaje, consulte antes de actuar (contacto: {ask}). No abra archivos ni enlaces sospechosos para averiguarlo.",
		},
		{
			tag: "nl", ask: "de IT-helpdesk",
			online: "Laat het apparaat aanstaan en verbonden met internet, zodat het kan melden dat het weer in orde is.",
			unsure: "Is iets onduidelijk of had u dit bericht niet verwacht, vraag het dan na (contact: {ask}). Open geen verdachte bestanden of koppelingen om erachter te komen.",
		},
	}
}

// speak are the phrases of a language, or of the nearest wider one; English if
// there is none.
func speak(language string) phrases {
	all := spoken()
	for _, tag := range handlers.Widen(language) {
		if i := slices.IndexFunc(all, func(p phrases) bool { return p.tag == tag }); i >= 0 {
			return all[i]
		}
	}
	return all[0]
}
