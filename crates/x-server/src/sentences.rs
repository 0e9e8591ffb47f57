//! What the made-up tweets say: a small grammar a language, so that thousands of them are no copies of each other.
//!
//! All of it is our own: nobody said it, and what it claims is made up. `{slot}` is filled from the words of the
//! language, else from [`SHARED`]; `{tag}`, `{name}`, `{link}` and `{n}` become a hashtag, a mention, a link, a number.

/// A language, and what is said in it.
pub(crate) struct Language {
    /// As the platform writes it: `in` is Indonesian.
    pub code: &'static str,
    /// Of a hundred tweets.
    pub share: u64,
    /// What stands between two sentences.
    pub stop: &'static str,
    /// About his music.
    pub music: &'static [&'static str],
    /// About all the rest of him.
    pub other: &'static [&'static str],
    /// About something else.
    pub elsewhere: &'static [&'static str],
    /// What may follow any of them.
    pub after: &'static [&'static str],
    /// Words for the slots.
    pub slots: Slots,
}

/// Slots and the words that fill them.
pub(crate) type Slots = &'static [(&'static str, &'static [&'static str])];

/// Words that are the same in every language.
pub(crate) const SHARED: Slots = &[
    ("jb", &["Justin Bieber", "Justin Bieber", "Justin Bieber", "Justin Bieber", "justin bieber", "JUSTIN BIEBER"]),
    ("song", &[
        "Sorry", "Peaches", "Baby", "Ghost", "Yummy", "Love Yourself", "What Do You Mean", "Daisies", "Intentions",
        "Holy", "Hold On", "Lonely", "Anyone", "Off My Face", "Never Say Never", "Boyfriend", "One Time", "Company",
        "Mistletoe", "Confident", "Stay", "All That Matters",
    ]),
    ("album", &["Purpose", "Believe", "Changes", "Justice", "Swag", "Journals", "My World 2.0", "Under the Mistletoe"]),
    ("city", &[
        "Toronto", "Madrid", "Lima", "São Paulo", "Jakarta", "Osaka", "Paris", "Berlin", "Milano", "Istanbul",
        "Seoul", "Cairo", "Rotterdam", "Chicago", "Manchester", "Sydney", "Bogotá", "Lisboa", "Houston", "Dublin",
        "Oslo", "Kraków", "Nairobi", "Auckland", "Montréal", "Hamburg", "Napoli", "Busan", "Quito", "Glasgow",
    ]),
    ("year", &["2009", "2010", "2011", "2012", "2013", "2015", "2016", "2019", "2020", "2021"]),
];

/// Pictures that mean nothing in particular.
pub(crate) const EMOJI: &[&str] = &[
    "😂", "🔥", "👀", "💜", "🙃", "🥲", "✨", "🤷", "🍁", "🧢", "🐸", "🍕", "⛸️", "🏒", "🚜", "🌧️", "🎂",
    "🤝", "🫠", "🐈", "🛹", "🌵", "☕", "🧦",
];

/// Every language but that of pictures alone.
pub(crate) const LANGUAGES: &[Language] = &[
    Language {
        code: "en",
        share: 42,
        stop: ". ",
        music: &[
            "{song} by {jb} came on {place} and {who} knew every word",
            "cannot stop playing {song}, {jb} really did that with {part}",
            "hot take: {album} is the best {jb} album and {song} is only the fifth best song on it",
            "{jb} sang {song} at {venue} in {city} and {n} thousand people sang {part} for him",
            "selling {n} tickets for the {jb} concert in {city}, face value, {who} cannot come",
            "learning {song} by {jb} on the {instrument}, {who} begs me to stop",
            "the acoustic version of {song}? {jb} please release it, I have been waiting since {year}",
            "{jb} tour dates are out and {city} is not on the list again",
            "who produced {part} of {song}? asking because {jb} has no business sounding this good {when}",
            "my playlist for {activity} is {n} songs long and half of it is {jb}",
            "the video for {song} by {jb} was filmed near {city}, I recognised {landmark}",
            "{who} walked down the aisle to {song} and the DJ kept playing {jb} all night",
            "vinyl of {album} arrived {when}, the B side of {jb} has never sounded warmer",
            "unpopular opinion, {jb} should let the drummer do {part} alone on the next single",
            "{jb} jumped {n} places in the chart with {song} and I take full credit",
            "woke up humming {song}. thanks for nothing {jb}, it is {n} o'clock {place}",
            "{jb} and a choir doing {song} at {venue}: I am {feel}",
            "new {jb} single on {weekday}? the snippet has {part} and I am {feel}",
        ],
        other: &[
            "{jb} has a new {hairdo} and {who} has opinions about it",
            "saw {jb} in {cloth} outside {landmark} in {city}, he held the door for {who}",
            "apparently {jb} bought {thing} near {city} and the neighbours are {feel}",
            "{jb} fell {n} times playing hockey {when} and still scored for {team}",
            "my cat is called {jb} and the vet shouted it {place}",
            "{who} thought {jb} was the plumber. I am {feel}",
            "had a dream that {jb} helped me with my taxes {place}",
            "{jb} orders {food} with {food} on top, says a waiter in {city}",
            "the wax figure of {jb} in {city} looks more like {who}",
            "someone carved {jb} out of {material} at {landmark} and won {n} dollars",
            "{jb} on a scooter through {city} wearing {cloth}, living his best life",
            "the court case about the fence of {jb} is postponed to {weekday}, reports {paper}",
            "{paper} says {jb} is moving to {city} with {thing}. sure",
            "{jb} took the baby to {landmark} and fed the ducks {food}",
            "why is {jb} trending, did he grow a {hairdo} again or what",
            "{who} has the same {cloth} as {jb} and now we cannot go anywhere",
            "{jb} left a {n} dollar tip at a diner in {city} after eating {food}",
            "our goat is named {jb} because of the {hairdo}, ask {who}",
            "the golf swing of {jb} makes {who} {feel}",
            "{jb} parked {thing} across two spots at {landmark}, {city} is {feel}",
            "I paid {n} dollars for {cloth} because {jb} wore it once in {year}",
            "quiz night: {n} questions about {jb} and {who} got all of them right",
            "{jb} waved at {who} from {thing} and nobody believes us",
            "there is a mural of {jb} in {city} made of {material}, {adj} work honestly",
            "the {hairdo} of {jb} in {year} was a crime and I had the same one",
            "{jb} was seen carrying {n} boxes of {food} into {landmark}",
            "if {jb} can learn {activity} at his age then so can {who}",
            "day {n} of asking {jb} to follow me, {who} has given up on me",
            "{jb} and {who} are the only people who can wear {cloth} to a wedding",
            "my thesis on {jb} and {activity} is due {weekday}, send {food}",
        ],
        elsewhere: &[
            "rain again, so the match of {team} is off. {n} tickets to give away {name}",
            "I baked {n} loaves {when} and {who} ate half of them",
            "crypto friends, $DOGE moves faster than {who} on {weekday} mornings",
            "lost my umbrella at {landmark}, it has {n} ducks on it, please share",
            "{who} took up {activity} and now {thing} is in our garage",
            "the bus to {city} was {n} minutes late and {adj}",
            "recipe for {food} from {who}, {n} steps and one secret",
            "bieber fever is what {who} calls hay fever, make it stop",
            "the library {place} has {n} books on {activity}, all of them {adj}",
            "found {cloth} at a flea market in {city} for {n} dollars",
        ],
        after: &[
            "and honestly {who} agrees",
            "told {who} about it {when}, got laughed at",
            "I am {feel} and it is only {weekday}",
            "this is {adj}",
            "{paper} will never report this",
            "somebody send {food} to {city}",
            "no further questions",
            "anyway, back to {activity}",
            "we talked about it for {n} minutes {place}",
            "please tell me I am not the only one {when}",
            "{who} has screenshots",
            "put that on {material} and hang it at {landmark}",
            "next time I bring {cloth}",
            "cannot believe I have known this since {year}",
            "that is the whole tweet, go and eat {food}",
            "my therapist in {city} will hear about it on {weekday}",
            "do not tell {who}",
            "it was {adj}, it was loud, it smelled of {food}",
            "still better than {activity} {place}",
            "source: {who}, {when}, over {food}",
        ],
        slots: &[
            ("who", &[
                "my sister", "my roommate", "my mom", "the bus driver", "my dentist", "our neighbour",
                "my math teacher", "my little brother", "the guy at the gym", "my boss", "grandma",
                "a kid in my class", "my ex", "the barista", "my cousin from Ohio", "the postman", "a nun I met",
                "the whole choir", "my landlord", "uncle Pete",
            ]),
            ("place", &[
                "in the kitchen", "on the night bus", "at the gym", "in the shower", "at work",
                "in the waiting room", "on the M4", "in the library", "at a wedding", "in the canteen",
                "at the airport", "in the garage", "in the queue for stamps", "on the roof",
            ]),
            ("feel", &[
                "crying", "smiling like an idiot", "not okay", "speechless", "fourteen again", "weirdly emotional",
                "wide awake", "so happy", "a bit embarrassed", "completely fine, thanks", "furious", "in pieces",
                "confused",
            ]),
            ("part", &[
                "the bridge", "the second verse", "that high note", "the intro", "the guitar part",
                "the last chorus", "the drum fill", "the bass line", "the harmonies", "the key change",
            ]),
            ("when", &[
                "this morning", "last night", "all weekend", "since 6 am", "for three days straight",
                "after the exam", "before bed", "during lunch", "yesterday", "between two meetings",
            ]),
            ("weekday", &["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]),
            ("venue", &[
                "the arena", "the stadium", "a tiny club", "the festival", "the old theatre", "the fairground",
                "a car park", "the opera",
            ]),
            (
                "instrument",
                &["ukulele", "tuba", "piano", "harp", "kazoo", "cello", "banjo", "recorder", "accordion"],
            ),
            ("landmark", &[
                "the fish market", "the train station", "the botanical garden", "the old bridge", "a petrol station",
                "the town hall", "the zoo", "a laundrette", "the harbour", "the skate park", "the post office",
                "a lighthouse",
            ]),
            ("activity", &[
                "bread baking", "chess", "beekeeping", "parallel parking", "pottery", "bird watching", "welding",
                "yoga", "spreadsheets", "stamp collecting", "cold swimming", "knitting", "falconry",
            ]),
            ("material", &[
                "butter", "sand", "bottle caps", "driftwood", "chewing gum", "cheese", "old tyres", "candle wax",
                "popcorn", "lego",
            ]),
            ("paper", &[
                "the local paper", "some gossip site", "breakfast TV", "a magazine at the hairdresser's",
                "my aunt's group chat", "the evening news",
            ]),
            ("cloth", &[
                "crocs", "a pink hoodie", "baggy jeans", "two hats at once", "a fur coat", "yellow sunglasses",
                "ski boots", "a towel as a scarf", "overalls", "a poncho", "a tuxedo jacket", "velvet slippers",
            ]),
            ("thing", &[
                "a golf cart", "an ice rink", "three alpacas", "a bakery", "a tractor", "a bowling alley",
                "an old fire truck", "a treehouse", "a houseboat", "a hot air balloon", "a submarine", "a vineyard",
            ]),
            ("food", &[
                "poutine", "pancakes", "instant noodles", "tacos", "a whole pineapple", "cold pizza",
                "maple cookies", "sushi", "mac &amp; cheese", "lentil soup", "waffles", "popcorn chicken",
                "rhubarb pie",
            ]),
            ("team", &[
                "the Leafs", "our school team", "the Oilers", "a beer league side", "the Sharks", "the Jets",
                "the dentists",
            ]),
            ("hairdo", &[
                "bowl cut", "bleached buzz cut", "man bun", "swoopy fringe", "mullet", "moustache", "side part",
                "mohawk", "perm",
            ]),
            ("adj", &[
                "ridiculous", "gorgeous", "tired", "brave", "hilarious", "suspicious", "very Canadian", "overrated",
                "iconic", "unhinged", "oddly wholesome", "deeply moving",
            ]),
        ],
    },
    Language {
        code: "es",
        share: 12,
        stop: ". ",
        music: &[
            "{song} de {jb} sonó {lugar} y {quien} se sabía toda la letra",
            "no paro de escuchar {album}, {jb} canta {parte} como nadie",
            "{jb} cantó {song} en {city} y yo {estado}",
            "vendo {n} entradas para el concierto de {jb} en {city}, {quien} no puede ir",
            "{quien} aprendió {song} de {jb} en el ukelele y suena {adj}",
            "la gira de {jb} no pasa por {city} otra vez, estoy {estado}",
            "{cuando} puse el disco {album} de {jb} y bailé {lugar}",
        ],
        other: &[
            "{jb} se rapó otra vez y {quien} está {estado}",
            "hoy soñé que {jb} era mi vecino y me prestaba {comida}",
            "vi a {jb} con {ropa} en el aeropuerto de {city}, {adj}",
            "dicen que {jb} compró {cosa} cerca de {city}",
            "mi gato se llama {jb} y la veterinaria lo gritó {lugar}",
            "{jb} se cayó {n} veces jugando hockey {cuando}",
            "el bigote de {jb} en {year} era {adj} y {quien} lo copió",
            "{jb} comió {comida} en {city} y dejó {n} dólares de propina",
            "{quien} cree que {jb} arregla lavadoras, estoy {estado}",
            "una estatua de {jb} hecha de {comida} en {city}, qué cosa tan {adj}",
            "{jb} paseó con el bebé en {city} y saludó a {quien}",
        ],
        elsewhere: &[
            "{quien} hizo {comida} para {n} personas {cuando}",
            "se canceló el partido en {city} por la lluvia, estoy {estado}",
            "perdí {ropa} {lugar}, si alguien lo ve avise",
            "el autobús llegó {n} minutos tarde y olía a {comida}",
        ],
        after: &[
            "y {quien} piensa lo mismo",
            "se lo conté a {quien} {cuando}",
            "estoy {estado}, no me hablen",
            "qué día tan {adj}",
            "ahora quiero {comida}",
            "lo juro por {cosa}",
            "pasó {lugar}, tengo pruebas",
            "mañana me voy a {city} con {ropa}",
            "son las {n} y sigo pensando en eso",
            "no le digan a {quien}",
        ],
        slots: &[
            ("quien", &[
                "mi hermana", "mi mamá", "mi jefe", "el chofer", "mi abuela", "la profe de inglés", "mi primo",
                "el vecino", "mi novia", "un amigo", "la dentista", "el cartero",
            ]),
            ("lugar", &[
                "en la cocina", "en el metro", "en la ducha", "en el trabajo", "en una boda", "en el gimnasio",
                "en plena clase", "en el súper", "en el ascensor", "en la playa",
            ]),
            ("estado", &[
                "llorando", "feliz", "muerta de risa", "sin palabras", "como de catorce años",
                "con la piel de gallina", "furiosa", "en shock", "cansado", "confundida",
            ]),
            ("parte", &["el estribillo", "el puente", "la segunda estrofa", "esa nota alta", "el final", "la intro"]),
            ("cosa", &[
                "una panadería", "tres llamas", "un tractor", "un faro", "una pista de hielo",
                "una casa en el árbol", "un camión de bomberos", "un barco", "un circo",
            ]),
            ("ropa", &[
                "unos crocs", "una sudadera rosa", "unos lentes amarillos", "un abrigo de piel", "dos gorras",
                "un pantalón enorme", "unas botas de esquí", "un poncho",
            ]),
            ("cuando", &[
                "anoche", "esta mañana", "todo el fin de semana", "ayer en la tarde", "antes del examen",
                "desde las seis", "el martes", "después de cenar",
            ]),
            ("comida", &[
                "empanadas", "queso", "sopa de lentejas", "churros", "mantequilla", "arroz con leche",
                "tortilla fría", "piña", "galletas",
            ]),
            ("adj", &[
                "raro", "hermoso", "ridículo", "increíble", "sospechoso", "tierno", "absurdo", "valiente",
                "elegante",
            ]),
        ],
    },
    Language {
        code: "pt",
        share: 9,
        stop: ". ",
        music: &[
            "o show do {jb} em {city} foi {adj}, chorei em {n} músicas",
            "{song} do {jb} tocou {lugar} e {quem} cantou tudo",
            "{quando} ouvi {album} inteiro, o {jb} capricha {parte}",
            "{quem} tocou {song} do {jb} no violão {lugar}",
            "vendo {n} ingressos do {jb} em {city}, preço normal",
            "{jb} subiu {n} posições na parada com {song}, estou {estado}",
        ],
        other: &[
            "{jb} virou meme de novo no grupo da família por causa de {coisa}",
            "{jb} raspou a cabeça e {quem} só fala disso",
            "{jb} de {roupa} num jantar em {city}, fiquei {estado}",
            "parece que o {jb} comprou {coisa} e eu aqui contando moeda",
            "sonhei que o {jb} fazia meu imposto de renda {lugar}",
            "{quem} achou que o {jb} era o encanador {quando}",
            "o {jb} comeu {comida} em {city} e deixou {n} dólares de gorjeta",
            "meu gato se chama {jb} e o veterinário gritou isso {lugar}",
            "o bigode do {jb} em {year} era {adj} e {quem} copiou",
        ],
        elsewhere: &[
            "{quem} fez {comida} para {n} pessoas {quando}",
            "choveu e o jogo em {city} foi adiado, estou {estado}",
            "perdi {roupa} {lugar}, quem achar avisa",
        ],
        after: &[
            "e {quem} concorda comigo",
            "contei para {quem} {quando}",
            "estou {estado} até agora",
            "que coisa {adj}",
            "agora quero {comida}",
            "aconteceu {lugar}, juro",
            "vou para {city} de {roupa} amanhã",
            "já são {n} dias pensando nisso",
            "não contem para {quem}",
        ],
        slots: &[
            ("quem", &[
                "minha irmã", "minha mãe", "meu chefe", "o motorista", "minha avó", "meu primo", "a vizinha",
                "minha professora", "meu namorado", "o padeiro", "meu dentista",
            ]),
            ("lugar", &[
                "na cozinha", "no metrô", "no banho", "no trabalho", "num casamento", "na academia",
                "no meio da aula", "na fila do mercado", "no elevador", "na praia",
            ]),
            ("estado", &[
                "chorando", "feliz demais", "sem palavras", "com quatorze anos de novo", "arrepiada", "com raiva",
                "em choque", "rindo sozinha", "com sono",
            ]),
            ("parte", &["no refrão", "na ponte", "no segundo verso", "naquela nota aguda", "no final", "na introdução"]),
            ("coisa", &[
                "uma padaria", "três lhamas", "um trator", "um farol", "uma pista de gelo", "uma casa na árvore",
                "um fusca azul", "um barco", "uma lancheira",
            ]),
            ("roupa", &[
                "crocs", "moletom rosa", "óculos amarelos", "casaco de pele", "dois bonés", "calça gigante",
                "botas de esqui", "pijama",
            ]),
            ("quando", &[
                "ontem à noite", "hoje cedo", "o fim de semana inteiro", "antes da prova", "desde as seis",
                "na volta pra casa", "na terça", "depois do almoço",
            ]),
            ("comida", &[
                "pão de queijo", "brigadeiro", "sopa de feijão", "coxinha", "abacaxi", "pastel", "bolo de fubá",
                "tapioca",
            ]),
            (
                "adj",
                &["incrível", "ridícula", "linda", "suspeita", "fofa", "absurda", "corajosa", "estranha"],
            ),
        ],
    },
    Language {
        code: "fr",
        share: 7,
        stop: ". ",
        music: &[
            "j'écoute {album} de {jb} {lieu} et je suis {etat}",
            "{song} de {jb} est passé {lieu} et {qui} connaissait toutes les paroles",
            "{jb} a chanté {song} à {city}, {n} mille personnes pleuraient",
            "je vends {n} places pour le concert de {jb} à {city}",
            "{qui} a joué {song} de {jb} à l'accordéon {quand}",
            "ce refrain de {jb} dans {song}, je ne m'en remets pas depuis {year}",
        ],
        other: &[
            "{jb} à la télé {quand}, {qui} était {etat}",
            "{jb} s'est encore rasé la tête, {qui} ne parle que de ça",
            "{jb} avec {habit} au restaurant à {city}, mais pourquoi",
            "apparemment {jb} a acheté {chose}, moi je compte mes pièces",
            "{jb} est tombé {n} fois au hockey {quand}",
            "mon chat s'appelle {jb} et le vétérinaire l'a crié {lieu}",
            "j'ai rêvé que {jb} remplissait ma déclaration d'impôts {lieu}",
            "{jb} a mangé {plat} à {city} avec {qui}, paraît-il",
        ],
        elsewhere: &[
            "{qui} a préparé {plat} pour {n} personnes {quand}",
            "le match à {city} est annulé à cause de la pluie, je suis {etat}",
            "j'ai perdu {habit} {lieu}, merci de partager",
        ],
        after: &[
            "et {qui} est d'accord",
            "je l'ai raconté à {qui} {quand}",
            "je suis {etat}, voilà",
            "maintenant j'ai envie de manger {plat}",
            "ça s'est passé {lieu}, je le jure",
            "demain je pars à {city} avec {habit}",
            "il est {n} heures et j'y pense encore",
            "ne le dites pas à {qui}",
        ],
        slots: &[
            ("qui", &[
                "ma sœur", "ma mère", "mon patron", "le chauffeur", "ma grand-mère", "mon cousin", "la voisine",
                "le prof d'anglais", "mon coloc", "le facteur", "la boulangère",
            ]),
            ("lieu", &[
                "dans la cuisine", "dans le métro", "sous la douche", "au boulot", "à un mariage",
                "à la salle de sport", "en plein cours", "dans l'ascenseur", "à la plage",
            ]),
            ("etat", &[
                "en larmes", "trop contente", "sans voix", "mort de rire", "énervé", "nostalgique",
                "en mode quatorze ans", "fatiguée", "perdu",
            ]),
            ("chose", &[
                "une boulangerie", "trois alpagas", "un tracteur", "un phare", "une patinoire",
                "une cabane dans un arbre", "une péniche", "un moulin",
            ]),
            ("habit", &[
                "des crocs", "un sweat rose", "des lunettes jaunes", "un manteau de fourrure", "deux casquettes",
                "un jean immense", "un poncho", "des pantoufles",
            ]),
            ("quand", &[
                "hier soir", "ce matin", "tout le week-end", "avant l'examen", "depuis six heures", "en rentrant",
                "mardi", "après le dîner",
            ]),
            ("plat", &[
                "une raclette", "des crêpes", "une soupe aux lentilles", "un ananas entier", "des huîtres",
                "une tarte au citron", "du pain perdu",
            ]),
        ],
    },
    Language {
        code: "de",
        share: 6,
        stop: ". ",
        music: &[
            "{song} von {jb} lief {ort} und {wer} konnte den ganzen Text",
            "{jb} hat in {city} {song} gesungen und ich war {gefuehl}",
            "verkaufe {n} Karten für das Konzert von {jb} in {city}",
            "{wer} lernt {song} von {jb} auf der Blockflöte, seit {year} leiden wir",
            "{wann} das Album {album} von {jb} gehört, der Refrain ist {adj}",
        ],
        other: &[
            "{jb} läuft im Supermarkt herum, {wer} tanzt zwischen den Äpfeln",
            "{jb} hat sich wieder die Haare abrasiert, {wer} ist {gefuehl}",
            "{jb} trägt in {city} {klamotte}, ich bin {gefuehl}",
            "angeblich hat {jb} bei {city} {ding} gekauft",
            "unser Kater heißt {jb} und die Tierärztin hat es {ort} gerufen",
            "ich habe geträumt, dass {jb} meine Steuererklärung macht, {ort}",
            "{jb} ist beim Eishockey {n} Mal hingefallen, {adj}",
            "{wer} dachte, {jb} sei der Klempner, und gab ihm {essen}",
        ],
        elsewhere: &[
            "{wer} hat {wann} {essen} für {n} Leute gekocht",
            "das Spiel in {city} fällt wegen Regen aus, bin {gefuehl}",
            "habe {klamotte} {ort} verloren, bitte teilen",
        ],
        after: &[
            "und {wer} sieht das genauso",
            "habe es {wann} herumerzählt",
            "bin {gefuehl}, mehr sage ich nicht",
            "das ist doch {adj}",
            "jetzt will ich {essen}",
            "das war {ort}, ich schwöre",
            "morgen fahre ich nach {city} und kaufe {ding}",
            "seit {n} Stunden denke ich daran",
        ],
        slots: &[
            ("wer", &[
                "meine Schwester", "meine Mutter", "mein Chef", "der Busfahrer", "meine Oma", "mein Cousin",
                "die Nachbarin", "der Englischlehrer", "der Postbote", "meine Zahnärztin",
            ]),
            ("ort", &[
                "in der Küche", "in der U-Bahn", "unter der Dusche", "im Büro", "auf einer Hochzeit",
                "im Fitnessstudio", "mitten im Unterricht", "im Aufzug", "am See",
            ]),
            ("gefuehl", &[
                "am Heulen", "total glücklich", "sprachlos", "wieder vierzehn", "genervt", "gerührt", "hellwach",
                "verwirrt",
            ]),
            ("ding", &[
                "eine Bäckerei", "drei Alpakas", "einen Traktor", "einen Leuchtturm", "eine Eishalle",
                "ein Baumhaus", "ein Hausboot", "eine Mühle",
            ]),
            ("klamotte", &[
                "Crocs", "einen rosa Pulli", "eine gelbe Brille", "einen Pelzmantel", "zwei Mützen", "riesige Jeans",
                "einen Bademantel",
            ]),
            ("wann", &[
                "gestern Abend", "heute früh", "das ganze Wochenende", "vor der Prüfung", "seit sechs Uhr",
                "auf dem Heimweg", "am Dienstag",
            ]),
            ("essen", &[
                "Linsensuppe", "Käsespätzle", "eine ganze Ananas", "Rhabarberkuchen", "kalte Pizza", "Pfannkuchen",
                "Kartoffelsalat",
            ]),
            (
                "adj",
                &["unglaublich", "wunderschön", "peinlich", "tapfer", "verdächtig", "lächerlich", "herrlich"],
            ),
        ],
    },
    Language {
        code: "ja",
        share: 8,
        stop: "。",
        music: &[
            "{jb} の新しい曲を{basho}聴きながら朝ごはん、{kimochi}",
            "{basho}{jb} の {song} が流れて{dare}が全部歌えた",
            "やっぱり {jb} は {album} が一番好き、{toki}ずっと聴いて{kimochi}",
            "{city} の {jb} のライブ、{song} で会場みんな歌ってて{kimochi}",
            "{jb} のチケットを{n}枚譲ります、{city} 公演です",
        ],
        other: &[
            "今日は {jb} のニュースばかりで{dare}が{kimochi}",
            "{jb} また坊主にしたの？{dare}が一番驚いてる",
            "{jb} が{fuku}で {city} を歩いてたらしい、{kimochi}",
            "{jb} が{mono}を買ったらしい、うちは家賃で精一杯",
            "{toki}{jb} がアイスホッケーで{n}回転んだ写真を見て{kimochi}",
            "夢で {jb} に確定申告を手伝ってもらって{kimochi}",
            "猫の名前が {jb} なので{basho}呼ばれると恥ずかしい",
            "{dare}が{basho} {jb} を見たと言ってるけど絶対うそ",
        ],
        elsewhere: &[
            "{toki}{dare}と{tabemono}を{n}個も作った",
            "{city} の試合が雨で中止になって{kimochi}",
            "{basho}{fuku}をなくしました、見つけたら教えてください",
        ],
        after: &[
            "{dare}も同じことを言っていた。", "{toki}{dare}に話したら笑われた。", "おかげで{kimochi}。", "それから{tabemono}が食べたくなった。",
            "{basho}起きた本当の話。", "明日は{fuku}で {city} に行きます。", "もう{n}時間も考えている。", "{mono}がほしい。",
        ],
        slots: &[
            ("dare", &["妹", "母", "上司", "隣の人", "おばあちゃん", "英語の先生", "友達", "美容師さん", "弟", "郵便屋さん", "歯医者さん", "大家さん"]),
            ("basho", &["台所で", "電車の中で", "お風呂で", "会社で", "結婚式で", "ジムで", "カフェで", "授業中に", "エレベーターで", "海で", "図書館で"]),
            ("kimochi", &["泣いた", "笑った", "鳥肌が立った", "元気が出た", "びっくりした", "懐かしくなった", "眠れなくなった", "お腹がすいた", "混乱した"]),
            ("mono", &["パン屋さん", "アルパカ三頭", "トラクター", "灯台", "ツリーハウス", "消防車", "スケートリンク", "気球", "潜水艦"]),
            ("fuku", &["クロックス", "ピンクのパーカー", "黄色いサングラス", "毛皮のコート", "帽子二つ", "ぶかぶかのジーンズ", "スキー靴"]),
            ("toki", &["昨日の夜", "今朝", "週末ずっと", "テストの前に", "朝六時から", "帰り道に", "火曜日に", "夕飯のあと"]),
            ("tabemono", &["たこ焼き", "おにぎり", "冷たいピザ", "パイナップル", "カレー", "おせんべい", "プリン", "うどん"]),
        ],
    },
    Language {
        code: "in",
        share: 6,
        stop: ". ",
        music: &[
            "lagu {song} dari {jb} diputar {tempat}, {siapa} hafal semua liriknya",
            "{kapan} muterin album {album} punya {jb} sampai {siapa} protes",
            "jual {n} tiket konser {jb} di {city}, harga normal",
            "{siapa} belajar main gitar lagu {song} dari {jb} {tempat}, {rasa}",
        ],
        other: &[
            "{jb} botak lagi dan {siapa} heboh {kapan}",
            "{jb} pakai {baju} ke acara makan malam di {city}, aku {rasa}",
            "katanya {jb} beli {barang}, aku beli beras saja mikir",
            "mimpi {jb} bantu ngisi pajak {tempat}, bangun-bangun {rasa}",
            "kucingku namanya {jb}, dokter hewan teriak {tempat}",
            "{jb} jatuh {n} kali waktu main hoki, {siapa} sampai {rasa}",
            "{jb} makan {makanan} di {city} bareng {siapa}, katanya",
        ],
        elsewhere: &[
            "{siapa} masak {makanan} buat {n} orang {kapan}",
            "pertandingan di {city} batal karena hujan, aku {rasa}",
            "{baju} aku hilang {tempat}, tolong bantu sebar",
        ],
        after: &[
            "dan {siapa} juga setuju", "aku cerita ke {siapa} {kapan}", "sekarang aku {rasa}",
            "jadi pengen makan {makanan}", "kejadiannya {tempat}, sumpah", "besok aku ke {city} pakai {baju}",
            "sudah {n} jam kepikiran terus", "jangan bilang {siapa} ya",
        ],
        slots: &[
            ("siapa", &[
                "adikku", "mamaku", "bosku", "sopir angkot", "nenekku", "sepupuku", "tetangga sebelah",
                "guru bahasa Inggris", "teman kosku", "tukang pos",
            ]),
            ("tempat", &[
                "di dapur", "di kereta", "di kamar mandi", "di kantor", "di kondangan", "di tempat gym", "di kelas",
                "di warung kopi", "di pantai",
            ]),
            ("rasa", &[
                "nangis", "senyum sendiri", "merinding", "bahagia banget", "kesal", "bingung", "kangen masa SMP",
                "ketawa terus",
            ]),
            ("barang", &[
                "toko roti", "tiga ekor alpaka", "traktor", "mercusuar", "rumah pohon", "mobil pemadam", "arena es",
                "kapal",
            ]),
            ("baju", &[
                "crocs", "hoodie pink", "kacamata kuning", "jaket bulu", "dua topi sekaligus", "celana kebesaran",
                "sarung",
            ]),
            ("kapan", &[
                "tadi malam", "tadi pagi", "sepanjang akhir pekan", "sebelum ujian", "dari jam enam", "kemarin sore",
                "hari Selasa",
            ]),
            (
                "makanan",
                &["rendang", "bakso", "pisang goreng", "nasi uduk", "martabak", "es campur", "sop buntut"],
            ),
        ],
    },
    Language {
        code: "ko",
        share: 3,
        stop: ". ",
        music: &[
            "{eonje} Justin Bieber 노래 {song} 들으면서 {eodiseo} 공부 중 {n}시간째",
            "{nuga} {eodiseo} Justin Bieber {song} 가사를 전부 불러서 {gibun}",
            "{city} Justin Bieber 콘서트 표 {n}장 양도합니다",
        ],
        other: &[
            "Justin Bieber 또 삭발했대, {nuga} {gibun}",
            "Justin Bieber가 {ot} 입고 {city} 걸어갔다는데 {gibun}",
            "{eonje} 꿈에서 Justin Bieber가 세금 신고를 도와줘서 {gibun}",
            "Justin Bieber가 {geot} 샀다는데 나는 월세도 힘들다",
            "고양이 이름이 Justin Bieber라서 {eodiseo} 부르면 부끄럽다",
        ],
        elsewhere: &["{nuga} {eonje} 김밥을 {n}줄이나 만들었다", "{city} 경기가 비 때문에 취소돼서 {gibun}"],
        after: &[
            "{nuga} 똑같이 말했다", "{eonje} 이야기했더니 {nuga} 웃었다", "그래서 {gibun}", "내일은 {ot} 입고 {city} 간다",
            "{eodiseo} 진짜 있었던 일이다", "{n}시간째 생각 중",
        ],
        slots: &[
            ("nuga", &["동생이", "엄마가", "부장님이", "기사님이", "할머니가", "사촌이", "옆집 언니가", "영어 선생님이", "친구가"]),
            ("eodiseo", &["부엌에서", "지하철에서", "샤워하면서", "회사에서", "결혼식에서", "헬스장에서", "수업 시간에", "바닷가에서"]),
            (
                "gibun",
                &["울었다", "웃었다", "소름 돋았다", "행복하다", "깜짝 놀랐다", "배고프다", "헷갈린다"],
            ),
            (
                "geot",
                &["빵집을", "알파카 세 마리를", "트랙터를", "등대를", "아이스링크를", "나무집을", "잠수함을"],
            ),
            ("ot", &["분홍 후드를", "모피 코트를", "큰 청바지를", "노란 비옷을", "잠옷을"]),
            (
                "eonje",
                &["어젯밤에", "오늘 아침에", "주말 내내", "시험 전에", "여섯 시부터", "집에 가는 길에"],
            ),
        ],
    },
    Language {
        code: "ar",
        share: 3,
        stop: "، ",
        music: &[
            "أغنية {song} من Justin Bieber اشتغلت {makan} و{man} حفظ الكلمات كلها",
            "{mata} سمعت ألبوم {album} من Justin Bieber وأنا {hal}",
        ],
        other: &[
            "حلمت أن Justin Bieber يساعدني في الضرائب {makan}",
            "Justin Bieber اشترى {shay} قرب {city} و{man} لا يصدق",
            "قطتي اسمها Justin Bieber والطبيب ناداها {makan}",
            "Justin Bieber وقع {n} مرات في الهوكي {mata} وأنا {hal}",
        ],
        elsewhere: &["{man} طبخ العدس لـ {n} أشخاص {mata}", "المباراة في {city} تأجلت بسبب المطر وأنا {hal}"],
        after: &[
            "و{man} يوافقني الرأي",
            "حكيت القصة {mata} فضحك {man}",
            "وأنا الآن {hal}",
            "حدث هذا {makan} والله",
            "أريد {shay} أنا أيضا",
            "منذ {n} ساعات وأنا أفكر في الموضوع",
        ],
        slots: &[
            ("man", &["أخي", "مديري", "السائق", "جدي", "ابن عمي", "جارنا", "معلم الإنجليزي", "طبيب الأسنان"]),
            ("makan", &[
                "في المطبخ", "في المترو", "في العمل", "في العرس", "في النادي", "أثناء الدرس", "على الشاطئ",
                "في المصعد",
            ]),
            ("hal", &["أبكي", "سعيد جدا", "مندهش", "أضحك وحدي", "غاضب", "جائع", "حائر"]),
            ("shay", &["مخبزا", "ثلاث جمال", "جرارا", "منارة", "بيت شجرة", "قاربا", "منطادا"]),
            ("mata", &["أمس", "هذا الصباح", "طوال العطلة", "قبل الامتحان", "منذ السادسة", "بعد العشاء"]),
        ],
    },
    Language {
        code: "it",
        share: 3,
        stop: ". ",
        music: &[
            "{song} di {jb} è partita {dove} e {chi} sapeva tutto il testo",
            "{quando} ho ascoltato tutto {album}, {jb} canta in modo {agg}",
            "vendo {n} biglietti per il concerto di {jb} a {city}",
        ],
        other: &[
            "{jb} si è rasato di nuovo e {chi} non parla d'altro",
            "{jb} con {abito} a cena a {city}, {agg}",
            "pare che {jb} abbia comprato {cosa}, io conto le monete",
            "il mio gatto si chiama {jb} e il veterinario lo ha urlato {dove}",
            "ho sognato che {jb} mi faceva le tasse {dove}",
            "{jb} è caduto {n} volte giocando a hockey {quando}",
        ],
        elsewhere: &[
            "{chi} ha cucinato lenticchie per {n} persone {quando}",
            "partita rinviata a {city} per pioggia, che serata dal finale {agg}",
        ],
        after: &[
            "e {chi} è d'accordo", "l'ho raccontato a {chi} {quando}", "che momento {agg}",
            "è successo {dove}, lo giuro", "domani vado a {city} con {abito}", "ci penso da {n} ore",
            "adesso voglio {cosa} anch'io",
        ],
        slots: &[
            ("chi", &[
                "mia sorella", "mia mamma", "il mio capo", "l'autista", "mia nonna", "mio cugino", "la vicina",
                "la prof di inglese", "il postino",
            ]),
            ("dove", &[
                "in cucina", "in metro", "sotto la doccia", "in ufficio", "a un matrimonio", "in palestra",
                "durante la lezione", "in ascensore",
            ]),
            ("cosa", &[
                "un panificio", "tre alpaca", "un trattore", "un faro", "una pista di pattinaggio",
                "una casa sull'albero", "una chiatta",
            ]),
            ("abito", &[
                "le crocs", "una felpa rosa", "gli occhiali gialli", "una pelliccia", "due cappelli", "jeans enormi",
                "le pantofole",
            ]),
            ("quando", &[
                "ieri sera", "stamattina", "tutto il fine settimana", "prima dell'esame", "dalle sei",
                "tornando a casa", "martedì",
            ]),
            ("agg", &["assurdo", "bellissimo", "ridicolo", "sospetto", "coraggioso", "elegante", "tenero"]),
        ],
    },
];
