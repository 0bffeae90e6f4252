package mail

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"curfew/handlers"
)

// phrases are what mails say in one language besides their templates and what
// handlers.Findings says. Names in braces are filled in.
type phrases struct {
	tag    string
	ask    string // whom to ask, if the configuration does not say
	online string // a step
	unsure string // a step: {ask}
	moment string // {weekday}, {day}, {month}, {year}, {time} and {zone}
	clock  string // {time}, as package time lays it out
	first  string // the first day of a month
	days   string // from Sunday on
	months string
}

// spoken are the languages that mails are written in, English first: those of
// handlers.Languages.
func spoken() []phrases {
	return []phrases{
		{
			tag: "en", ask: "your IT help desk",
			online: "Leave the device switched on and connected to the internet, so that it can report that it is healthy again.",
			unsure: "If something is unclear, or if you did not expect this, ask {ask}. Do not open suspicious files or links to find out.",
			moment: "{weekday}, {day} {month} {year} at {time} {zone}", first: "1", clock: "15:04",
			days:   "Sunday Monday Tuesday Wednesday Thursday Friday Saturday",
			months: "January February March April May June July August September October November December",
		},
		{
			tag: "de", ask: "Ihr IT-Helpdesk",
			online: "Lassen Sie das Gerät eingeschaltet und mit dem Internet verbunden, damit es melden kann, dass es wieder in Ordnung ist.",
			unsure: "Wenn etwas unklar ist oder Sie diese Nachricht nicht erwartet haben, fragen Sie bitte nach (Kontakt: {ask}). Öffnen Sie keine verdächtigen Dateien oder Links, um es herauszufinden.",
			moment: "{weekday}, {day}. {month} {year} um {time} Uhr ({zone})", first: "1", clock: "15:04",
			days:   "Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag",
			months: "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
		},
		{
			tag: "fr", ask: "votre assistance informatique",
			online: "Laissez l’appareil allumé et connecté à Internet, afin qu’il puisse signaler que tout est rentré dans l’ordre.",
			unsure: "En cas de doute, ou si vous ne vous attendiez pas à ce message, renseignez-vous (contact : {ask}). N’ouvrez pas de fichiers ni de liens suspects pour en avoir le cœur net.",
			moment: "{weekday} {day} {month} {year} à {time} ({zone})", first: "1er", clock: "15 h 04",
			days:   "dimanche lundi mardi mercredi jeudi vendredi samedi",
			months: "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
		},
		{
			tag: "es", ask: "el servicio de asistencia informática",
			online: "Deje el dispositivo encendido y conectado a Internet para que pueda comunicar que vuelve a estar en orden.",
			unsure: "Si algo no está claro o no esperaba este mensaje, consulte antes de actuar (contacto: {ask}). No abra archivos ni enlaces sospechosos para averiguarlo.",
			moment: "{weekday}, {day} de {month} de {year}, a las {time} h ({zone})", first: "1", clock: "15:04",
			days:   "domingo lunes martes miércoles jueves viernes sábado",
			months: "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
		},
		{
			tag: "nl", ask: "de IT-helpdesk",
			online: "Laat het apparaat aanstaan en verbonden met internet, zodat het kan melden dat het weer in orde is.",
			unsure: "Is iets onduidelijk of had u dit bericht niet verwacht, vraag het dan na (contact: {ask}). Open geen verdachte bestanden of koppelingen om erachter te komen.",
			moment: "{weekday} {day} {month} {year} om {time} uur ({zone})", first: "1", clock: "15:04",
			days:   "zondag maandag dinsdag woensdag donderdag vrijdag zaterdag",
			months: "januari februari maart april mei juni juli augustus september oktober november december",
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

// when writes a moment for people; "" for none.
func (p phrases) when(at time.Time, zone *time.Location) string {
	if at.IsZero() {
		return ""
	}
	at = at.In(zone)
	day := strconv.Itoa(at.Day())
	if day == "1" {
		day = p.first
	}
	return strings.NewReplacer(
		"{weekday}", strings.Fields(p.days)[at.Weekday()], "{day}", day, "{month}", strings.Fields(p.months)[at.Month()-1],
		"{year}", at.Format("2006"), "{time}", at.Format(p.clock), "{zone}", at.Format("MST"),
	).Replace(p.moment)
}
