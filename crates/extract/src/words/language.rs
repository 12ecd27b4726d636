//! Which language a text is in, told by its script and by the small words that every text of a language is full of. Where two languages fit about as
//! well, or none fits well, none is named: a wrong one would hide a document from whoever asks for its own.
//!
//! Telling by groups of three letters knows more languages and costs a hundred times as much: 0.6 ms a message, twice the rest of an ingest.

use super::sketch::{Heard, hash};
use std::sync::OnceLock;

/// So many words of a text are looked at.
const SAMPLE: u32 = 400;
/// A script alone tells a language from so many of its letters on.
const LEAST_LETTERS: u32 = 12;
/// So many different small words must have been met, of at least so many words.
const LEAST_DIFFERENT: u32 = 4;
const LEAST_WORDS: u32 = 8;
/// The share of small words that a text must have, in percent, in a language that has them as words of their own, and in one that puts them into endings.
const SHARE: u32 = 18;
const SHARE_OF_ENDINGS: u32 = 8;

/// What was met of each language in the first words of a text.
pub(super) struct Sample {
    words: u32,
    /// How many letters each script has.
    scripts: Vec<(Script, u32)>,
    /// What the small words of each language weigh, and how many different ones there were.
    scores: [u32; LISTS.len()],
    different: [u32; LISTS.len()],
    /// Which small words were met, by their places among all.
    met: Vec<u16>,
    room: String,
}

impl Default for Sample {
    fn default() -> Self {
        let (scores, different) = ([0; LISTS.len()], [0; LISTS.len()]);
        Self { words: 0, scripts: Vec::new(), scores, different, met: Vec::new(), room: String::new() }
    }
}

impl Sample {
    /// Takes a word. One beside a sign of addresses, or with a digit in it, is passed over.
    #[inline]
    pub(super) fn hear(&mut self, heard: &Heard<'_>) {
        if self.words >= SAMPLE {
            return;
        }
        match heard {
            Heard::Plain { word, letters, alone } => {
                if *alone {
                    self.words += 1;
                    self.letters(Script::Shared(LATIN), *letters as u32);
                    self.look_up(*word);
                }
            }
            Heard::Other(word) => self.other(word),
        }
    }

    fn letters(&mut self, script: Script, count: u32) {
        match self.scripts.iter_mut().find(|(known, _)| *known == script) {
            Some((_, letters)) => *letters += count,
            None => self.scripts.push((script, count)),
        }
    }

    fn other(&mut self, run: &str) {
        // A word without end may be all of a text in a script without spaces.
        let run = &run[..run.floor_char_boundary(3000)];
        for c in run.chars() {
            if let Some(script) = script(c) {
                self.letters(script, 1);
            }
        }
        let in_word = |c: char| c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{9ff}');
        for word in run.split(|c| !in_word(c)).filter(|word| !word.is_empty()) {
            self.words += 1;
            let mut room = std::mem::take(&mut self.room);
            room.clear();
            room.extend(word.chars().flat_map(char::to_lowercase));
            self.look_up(hash(room.as_bytes()));
            self.room = room;
        }
    }

    #[inline]
    fn look_up(&mut self, word: u64) {
        let table = Table::get();
        let Some(at) = table.find(word) else { return };
        let first = !self.met.contains(&at);
        if first {
            self.met.push(at);
        }
        let of = &table.entries[usize::from(at)].1;
        // A word of one language alone says more than one that four share.
        let weight = 12 / (of.len() as u32).min(4);
        for list in of {
            self.scores[usize::from(*list)] += weight;
            self.different[usize::from(*list)] += u32::from(first);
        }
    }

    /// The code of the language (ISO 639-1), if it can be told: by the script that most of the letters are of, and then by small words.
    pub(super) fn language(&self) -> Option<&'static str> {
        let letters: u32 = self.scripts.iter().map(|(_, count)| count).sum();
        let of = |wanted: Script| self.scripts.iter().find(|(script, _)| *script == wanted).map_or(0, |(_, count)| *count);
        let (han, kana) = (of(Script::Han), of(Script::Kana));
        // One sign of Chinese stands for as much as three letters. A few syllables in a long text make it neither Japanese nor Chinese for sure.
        if (han + kana) * 3 > letters && han + kana >= LEAST_LETTERS {
            return match kana {
                kana if kana * 12 > han + kana => Some("ja"),
                kana if kana * 50 < han => Some("zh"),
                _ => None,
            };
        }
        let (script, count) = self.scripts.iter().copied().max_by_key(|(_, count)| *count)?;
        if count * 3 < letters * 2 {
            return None;
        }
        match script {
            Script::Of(language) => (count >= LEAST_LETTERS).then_some(language),
            Script::Shared(shared) => self.by_words(shared),
            Script::Han | Script::Kana => None,
        }
    }

    fn by_words(&self, script: u8) -> Option<&'static str> {
        let mut ranked: Vec<usize> = (0..LISTS.len()).filter(|list| LISTS[*list].1 == script).collect();
        ranked.sort_by_key(|list| std::cmp::Reverse(self.scores[*list]));
        let best = *ranked.first()?;
        let (code, _, endings, _) = LISTS[best];
        let share = if endings { SHARE_OF_ENDINGS } else { SHARE };
        // 6 is what a word of two languages weighs.
        let enough =
            self.words >= LEAST_WORDS && self.different[best] >= LEAST_DIFFERENT && self.scores[best] * 100 >= share * self.words * 6;
        let next = ranked.get(1).map_or(0, |next| self.scores[*next]);
        (enough && self.scores[best] * 2 >= next * 3).then_some(code)
    }
}

/// A script and the language that it is a sign of: either the only one that is told apart in it, or one that words must tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    /// Of one language.
    Of(&'static str),
    /// Of several, with its number in the lists of words.
    Shared(u8),
    Han,
    Kana,
}

const LATIN: u8 = 0;
const CYRILLIC: u8 = 1;
const ARABIC: u8 = 2;
const DEVANAGARI: u8 = 3;
const HEBREW: u8 = 4;
const ETHIOPIC: u8 = 5;
const BENGALI: u8 = 6;

fn script(c: char) -> Option<Script> {
    Some(match c {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Script::Shared(LATIN),
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Script::Of("el"),
        '\u{400}'..='\u{52f}' => Script::Shared(CYRILLIC),
        '\u{530}'..='\u{58f}' => Script::Of("hy"),
        '\u{590}'..='\u{5ff}' => Script::Shared(HEBREW),
        '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' => Script::Shared(ARABIC),
        '\u{900}'..='\u{97f}' => Script::Shared(DEVANAGARI),
        '\u{980}'..='\u{9ff}' => Script::Shared(BENGALI),
        '\u{a00}'..='\u{a7f}' => Script::Of("pa"),
        '\u{a80}'..='\u{aff}' => Script::Of("gu"),
        '\u{b00}'..='\u{b7f}' => Script::Of("or"),
        '\u{b80}'..='\u{bff}' => Script::Of("ta"),
        '\u{c00}'..='\u{c7f}' => Script::Of("te"),
        '\u{c80}'..='\u{cff}' => Script::Of("kn"),
        '\u{d00}'..='\u{d7f}' => Script::Of("ml"),
        '\u{d80}'..='\u{dff}' => Script::Of("si"),
        '\u{e00}'..='\u{e7f}' => Script::Of("th"),
        '\u{e80}'..='\u{eff}' => Script::Of("lo"),
        '\u{1000}'..='\u{109f}' => Script::Of("my"),
        '\u{10a0}'..='\u{10ff}' => Script::Of("ka"),
        '\u{1200}'..='\u{137f}' => Script::Shared(ETHIOPIC),
        '\u{1780}'..='\u{17ff}' => Script::Of("km"),
        '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7af}' => Script::Of("ko"),
        '\u{3040}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9f}' => Script::Kana,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}' => Script::Han,
        _ => return None,
    })
}

/// A language, its script, whether its small words are endings as a rule, and its small words.
type List = (&'static str, u8, bool, &'static str);

/// The codes of all languages that words tell.
#[cfg(test)]
pub(super) fn codes() -> impl Iterator<Item = &'static str> {
    LISTS.iter().map(|(code, ..)| *code)
}

/// Makes the table, which otherwise the first word does.
pub(super) fn prepare() {
    Table::get();
}

/// All small words, each by its hash with the languages that have it.
struct Table {
    entries: Vec<(u64, Vec<u8>)>,
    /// By the end of the hash: the place in `entries` and 1, or 0.
    places: Vec<u16>,
}

const PLACES: usize = 1 << 13;

impl Table {
    #[inline]
    fn get() -> &'static Self {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(Self::new)
    }

    fn new() -> Self {
        let mut table = Self { entries: Vec::new(), places: vec![0; PLACES] };
        for (list, (_, _, _, words)) in LISTS.iter().enumerate() {
            for word in words.split(' ').map(|word| hash(word.as_bytes())) {
                let place = table.place(word);
                if table.places[place] == 0 {
                    table.entries.push((word, Vec::new()));
                    table.places[place] = table.entries.len() as u16;
                }
                let languages = &mut table.entries[usize::from(table.places[place]) - 1].1;
                if !languages.contains(&(list as u8)) {
                    languages.push(list as u8);
                }
            }
        }
        table
    }

    /// Where a word stands, or would stand.
    #[inline]
    fn place(&self, word: u64) -> usize {
        let mut at = word as usize % PLACES;
        while self.places[at] != 0 && self.entries[usize::from(self.places[at]) - 1].0 != word {
            at = (at + 1) % PLACES;
        }
        at
    }

    #[inline]
    fn find(&self, word: u64) -> Option<u16> {
        self.places[self.place(word)].checked_sub(1)
    }
}

/// The small words, the most frequent of each language, as they are written: lower case, with their accents.
const LISTS: [List; 45] = [
    (
        "en",
        LATIN,
        false,
        "the of and to in is that it for was on are with as at be this have from or had by not but what all were we when your can said there an which their if will each about how up out them then she many some so these would other into has more two like him see could no than been its who now did get may i you he his they any our do my me us should please also after only where why because thanks know does here just very over most much still before between through must being",
    ),
    (
        "de",
        LATIN,
        false,
        "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat daß dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein wurde sei hatte kann gegen vom können schon wenn habe seine ihre dann unter wir soll ich eines jahr zwei diese dieser wieder keine uhr ihr bitte mir mich uns ihnen ihm jetzt was daran bitte sehr diesem dieses",
    ),
    (
        "nl",
        LATIN,
        false,
        "de het een en van in is dat op te zijn met voor niet aan er om die als ook maar bij dan nog wel naar uit door over ik je hij zij wij we worden wordt werd deze dit tot heeft hebben had kan kunnen moet moeten zou zal zullen onder tegen geen meer hun haar ze mijn uw u wat waar wie want omdat dus of al heel veel na laat laten weten volgens vorige alle alleen andere",
    ),
    (
        "af",
        LATIN,
        false,
        "die en van het in is nie dat ek op vir met om te wat hy aan ons was sy jy as by maar se daar een word hulle kan sal na my is uit so ook of deur hierdie nog baie toe net moet julle jou wees alle dit sou waar wanneer omdat geen meer oor tot teen onder",
    ),
    (
        "da",
        LATIN,
        false,
        "og i at det er en den til på som med for af de ikke der har et var jeg om han sig vi fra men kan havde man hun eller vil så skal ud nu blev efter ved mig op være dem dette denne også over kun blive bliver når mange hvor hvad deres hans mere noget ind meget under mellem uden siden jeres af nogle",
    ),
    (
        "nb",
        LATIN,
        false,
        "og i det er på en som til å av for at med de ikke den har om et fra var men han jeg seg vi kan hun eller vil så skal ble etter også ut over mer være blitt denne dette ved nå bare når hvor hva noe deg meg sin sine mot fikk mellom uten oss dere andre alle må blir noen opp",
    ),
    (
        "sv",
        LATIN,
        false,
        "och i att det som en på är av för med till den har de inte om ett han men var jag från vi så kan när man hon eller hade nu ska skulle sig efter vid bara mycket upp över också mot blir hur då alla vara mig där ut mer här denna detta under finns kommer andra sedan utan mellan vad någon något era oss dem dig",
    ),
    (
        "is",
        LATIN,
        false,
        "og að í á er sem til við um var með ekki en það fyrir af hann því hefur frá þá eru þetta þess ég þar ekki eftir hún þeir verið upp vera eða um hafa hann út yfir sér þeim þessi hafi verður mjög allt nú svo við okkur mér bara",
    ),
    (
        "fr",
        LATIN,
        false,
        "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont la avec son aux cette ses mais comme on tout nous sa fait été aussi leur bien peut ces y deux elle ou même vous leurs sans être était si je dont très où entre encore après faire lui avait depuis sous alors vers contre chez car notre votre mes mon merci d'un d'une l'on c'est n'est qu'il me toujours ainsi moi",
    ),
    (
        "es",
        LATIN,
        false,
        "de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si sin sobre este ya entre cuando todo esta ser son dos también fue había era muy años hasta desde está mi porque qué sólo han yo hay vez puede todos así nos ni parte tiene él uno donde bien tiempo mismo ese ahora cada e vida otro después te otros aunque esa eso hace usted ustedes gracias nosotros ella favor",
    ),
    (
        "pt",
        LATIN,
        false,
        "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem à seu sua ou ser quando muito há nos já está eu também só pelo pela até isso ela entre era depois sem mesmo aos ter seus quem nas me esse eles estão você tinha foram essa num nem suas meu às minha têm numa pelos elas havia seja qual será nós tenho lhe deles essas este esta ainda obrigado",
    ),
    (
        "ca",
        LATIN,
        false,
        "de la i el que a en les del un per els una es amb no al és dels ha va se més com ho o seva són aquest aquesta han seu ser si tot fer pel però ja també fins on van hi havia molt entre quan sense sobre dos què perquè nou ens aquests ell ella l'any d'un d'una cada després altres jo vostè nosaltres els gràcies cap així",
    ),
    (
        "it",
        LATIN,
        false,
        "di e il la che in a per un è del non una con i si da le della al sono dei come anche più ha lo alla ma nel gli delle su se dal o questo questa suo sua tra ci essere hanno stato era dalla nella ai degli quello due fra loro anni tutti tutto quando molto dopo prima mi io noi voi perché così dove solo ogni stata può sia ancora chi ne cui senza poi fatto alle sul cosa ed mio grazie favore ancora",
    ),
    (
        "ro",
        LATIN,
        false,
        "de și şi în a la cu pe o un nu care din este să că pentru mai sa ca fi au al se sunt lui fost ce sau dar am prin după ale cele dintre fiind era între până sub fără doar toate foarte decât când cum unde lor ei ea el noi voi eu dumneavoastră această acest acesta acestea vă ne îi îl va vor ar putea trebuie",
    ),
    (
        "pl",
        LATIN,
        false,
        "w i na z do się nie że to jest o jak a po co tak za od ale przez go czy dla przy tego ich jego jej był było była są być oraz może już tylko który która które gdzie kiedy bardzo także tym tej ten ta pan pani proszę mnie mi ja my wy oni on ona jeszcze nad pod bez jednak przed więc ze lub aby te tych może by",
    ),
    (
        "cs",
        LATIN,
        false,
        "a se v je na to že s z do o i ve jsem za k by ale jako si po tak pro od není jsou jeho které který která co už podle jen být při než které bylo byl byla až bude tím aby však také nebo my vy jak když ještě před kde jejich protože této tento toto mezi nás vás mně mi mě ze ke ani více velmi prosím",
    ),
    (
        "sk",
        LATIN,
        false,
        "a sa v je na to že s z do o i vo som za k by ale ako si po tak pre od nie sú jeho ktoré ktorý ktorá čo už podľa len byť pri než bolo bol bola až bude tým aby však tiež alebo my vy keď ešte pred kde ich pretože tejto tento toto medzi nás vás mne mi ma zo ku ani viac veľmi prosím",
    ),
    (
        "sl",
        LATIN,
        false,
        "in je v na za se da so z pa ki ni bi o po tudi s kot bo od do iz ne kar ali ob še to ko pri ter jih jo že le biti samo bil bila bilo bili smo ste sem če ker več zelo med tako vse pred brez tem tega ta lahko prosim nas vas mi ga kaj kje kako pod",
    ),
    (
        "hr",
        LATIN,
        false,
        "i u je da se na za su od s a što kao o će ne iz koji to ili biti te koje sam nije bi ali do koja samo po sa bio bila bilo bili smo ste kako još može sve ako već prema između nakon kod tako tijekom više gdje tko što zbog zatim vrlo nas vas mi ga ovaj ova ovo molim prije",
    ),
    (
        "lt",
        LATIN,
        true,
        "ir į kad yra iš su bet tai kaip o ne buvo už apie dėl po prie nuo jis ji jie jų jo tik dar taip pat ar per iki kuris kuri kurie būti mes jūs aš labai jau nėra šis ši šio nes bus arba be tarp tačiau mano jei visi daugiau kai vis to ten čia prašome",
    ),
    (
        "lv",
        LATIN,
        true,
        "un ir ar no par uz ka kas tas kā bet lai nav tā to vai arī pēc pie līdz tikai viņš viņa es mēs jūs viņi būt bija ļoti jau vēl šis šī šo gan ja pret starp kur kad savu tiek tika var mūsu jūsu tomēr bez lūdzu visi vairāk",
    ),
    (
        "et",
        LATIN,
        true,
        "ja on et ei see oli mis kui ka ta oma aga siis või ning kes nii selle nagu mida seda olid juba veel välja tema meie teie ma me te nad pole kuid vaid koos pärast enne siin seal väga kõik ole olnud olla mitte palun üks kus sest peale ühe läbi",
    ),
    (
        "fi",
        LATIN,
        true,
        "ja on ei se että oli hän mutta ovat kun niin myös tai jos joka mukaan kuin sekä ole sen mitä vain jo nyt vielä siitä tämä tämän ne ollut sitä minä sinä me te he hänen jossa jonka jotka koska kanssa ennen jälkeen olen olla olisi voi voidaan vuoden kuten mikä kaikki hyvin tässä eivät en sitten minun meidän teidän että pitää kiitos",
    ),
    (
        "hu",
        LATIN,
        true,
        "a az és hogy nem is egy meg van ez de volt csak el mint már még ki kell ha vagy ezt azt sem aki ami amely lesz lehet mert nagyon minden után között szerint vele neki én te ő mi ti ők itt ott így úgy most akkor majd pedig azonban illetve kérem által alatt be fel több magyar ezért valamint",
    ),
    (
        "tr",
        LATIN,
        true,
        "ve bir bu için da de ile olarak daha çok en gibi olan var ne o ama kadar sonra ki her değil mi mı olduğu ya veya ben sen biz siz onlar bana sana bize size şey oldu olduğunu tarafından önce ise diye iki yok hem yeni göre şu bütün ancak nasıl lütfen olan zaman üzere",
    ),
    (
        "id",
        LATIN,
        false,
        "yang dan di itu dengan untuk tidak ini dari dalam akan pada juga saya ke karena ada mereka kita kami dia anda bisa oleh adalah atau seperti lebih sudah telah tersebut harus saat tahun bahwa hanya tetapi jika para sebagai menjadi dapat lain satu orang hari belum masih setelah kepada lagi secara apa sangat",
    ),
    (
        "vi",
        LATIN,
        false,
        "và của là có trong được cho không một các với người này những để đã từ khi đến về như ra tôi cũng nhiều tại sẽ vào ở trên theo đó năm hay việc làm phải vì nhưng hơn thì lại anh chúng đang rất sau trước chỉ nếu qua ông bị do",
    ),
    (
        "cy",
        LATIN,
        false,
        "y yn a i o ar yr ei am ac mae gan wedi bod oedd fel ond nid hyn ni ein eu eich chi fe hi hwn hon sydd sy nad gyda neu cael wrth mewn at dros pan hefyd roedd byddai yna rhai iawn hwy mwy ddim ddim fod bydd mai os nac",
    ),
    (
        "ru",
        CYRILLIC,
        false,
        "и в не на я что он с как это по но они мы к у из за от так для же вы бы все его было только её ее мне еще ещё о или когда если был была были чтобы до при уже нет да во со меня их который которые которая того после нас вас тем где под быть ты без этого этом тоже себя может пожалуйста",
    ),
    (
        "uk",
        CYRILLIC,
        false,
        "і в не на що я з як це до та у за від для але про є ми він вони його так по який яка які було був була були чи або коли якщо щоб ще вже й зі із ви її їх також після при того без нас вас мене тільки тому може бути де під між цього цей ця будь ласка через",
    ),
    (
        "be",
        CYRILLIC,
        false,
        "і ў не на што я з як гэта да у за ад для але пра мы ён яны яго так па які якая якія было быў была былі ці або калі каб яшчэ ўжо й вы яе іх таксама пасля пры таго без нас вас мяне толькі таму можа быць дзе пад між гэтага гэты праз са",
    ),
    (
        "bg",
        CYRILLIC,
        false,
        "на и да се от за в че не с е по са като до ще но а при това или който която които беше бил била били има след само още може ако ги го му я ми ни ви те той тя ние вие аз си така тази този тези без под над между където когато защото във със към през както няма бъде моля много",
    ),
    (
        "mk",
        CYRILLIC,
        false,
        "на и да се од за во е не што со ќе го ги по но а при тоа или кој која кои беше бил била биле има после само уште може ако му ја ми ни ви тие тој таа ние вие јас си така оваа овој овие без под над меѓу каде кога затоа кон преку како нема биде молам многу сите до",
    ),
    (
        "sr",
        CYRILLIC,
        false,
        "и у је да се на за су од с а што као о ће не из који то или бити те које сам није би али до која само по са био била било били смо сте како још може све ако већ према између након код тако током више где ко због затим веома нас вас ми га овај ова ово молим пре",
    ),
    (
        "ar",
        ARABIC,
        false,
        "في من على إلى أن هذا هذه التي الذي ما لا مع عن كان كانت أو بعد قد كل بين لم ذلك هو هي ثم حتى عند غير إن كما أي منذ أنه وقد ولا لها له به بها فيها منها عليه نحن وهو وهي يكون الى حول خلال قبل الذين أكثر يرجى",
    ),
    (
        "fa",
        ARABIC,
        false,
        "و در به از که این را با است برای آن یک می تا بر هم نیز شده خود بود شد ما من او آنها اما یا هر دیگر کرد کرده باید پس اگر همه چه بین باشد نمی پیش روی های ها خواهد شما داد دارد کنید لطفا بعد بسیار",
    ),
    (
        "ur",
        ARABIC,
        false,
        "کے میں کی ہے اور سے کا کو ہیں پر نے یہ کہ بھی نہیں وہ ایک اس تھا تھی تھے ہو کر گیا تو ان ہی لیے کیا جو تک ساتھ اپنے ہم آپ بعد ہوئے رہے دیا جا گئی کرنے ہوں",
    ),
    (
        "hi",
        DEVANAGARI,
        false,
        "के में है की और से का को पर हैं यह ने भी कि नहीं एक वह इस था थी थे हो कर गया तो उन ही लिए किया जो तक साथ अपने हम आप बाद हुए रहे दिया जा या मैं कुछ होता सकते कृपया",
    ),
    (
        "mr",
        DEVANAGARI,
        false,
        "आणि आहे या व च्या ते की हे आहेत होते तर ही तो ती मी आम्ही तुम्ही नाही पण किंवा यांनी यांच्या होता होती करून असे असून त्यांनी मध्ये साठी एक आपण काही कृपया झाला झाली झाले येथे",
    ),
    (
        "ne",
        DEVANAGARI,
        false,
        "र को छ मा गर्न हो भएको लाई पनि यो छन् ले गरेको थियो भने तर गर्ने नेपाल एक त्यो हामी तपाईं म उनले सबै अनि वा कुनै हुने गरी भन्ने बाट सम्म दिन कृपया",
    ),
    (
        "he",
        HEBREW,
        true,
        "של את על לא זה הוא עם כי גם היא אני אל או כל יש אין אבל מה אם רק יותר היה הם אנחנו אתה בין אחרי לפני כדי אשר עוד כמו היו הזה זו חסר בו שלי לי לך שבו אנא מאוד",
    ),
    (
        "yi",
        HEBREW,
        false,
        "און די דער איז פון צו דאס אין ער מיט זיך איך האט נישט ניט אויף פאר א אן מען זענען האבן וואס ווי זיי מיר דעם עס אויך נאך ביי וועט קען געווען",
    ),
    ("am", ETHIOPIC, true, "ነው እና ላይ ውስጥ ወደ ግን ይህ ነበር እንደ ሁሉ አንድ የሚል ናቸው ስለ ጋር በኋላ ብቻ ሌላ እስከ ያለ እባክዎ ዓ.ም ዘንድ እንጂ"),
    ("ti", ETHIOPIC, true, "እዩ ናይ ኣብ ካብ እዚ ግን ምስ ናብ እቲ ኣሎ ነቲ ድማ እታ እዮም ከም ንሱ ኣነ ሰብ ብዙሕ"),
    (
        "bn",
        BENGALI,
        true,
        "এবং ও এই করে থেকে জন্য না যে তার একটি করা হয় সে কিন্তু তিনি আমি আমরা আপনি হবে বা সঙ্গে পর মধ্যে কি আর তাদের এর হয়েছে ছিল করতে নিয়ে অনেক যা কোন দয়া সালে",
    ),
];
