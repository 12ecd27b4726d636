//! What comes and goes in a town hall while the story happens: readings, residents' letters, newsletters, agendas, progress reports.

use super::files::pressures;
use super::random::Random;
use super::story::{Letter, Person, Place, Thread};
use jiff::civil::{DateTime, date};
use jiff::{Span, ToSpan as _};

/// All of it, and the residents who write.
pub(super) fn threads(random: &mut Random) -> (Vec<Person>, Vec<Thread>) {
    let residents = residents();
    let mut threads = readings(random);
    threads.extend(letters(random, &residents));
    threads.extend(newsletters(random));
    threads.extend(agendas(random));
    threads.extend(progress(random));
    (residents, threads)
}

fn on(days: i64, random: &mut Random) -> DateTime {
    let minutes = 7 * 60 + random.below(11 * 60) as i64;
    add(date(2014, 10, 6).at(0, 0, 0, 0), days.days().minutes(minutes))
}

fn add(at: DateTime, span: Span) -> DateTime {
    at.checked_add(span).unwrap_or(at)
}

fn single(subject: String, mut letter: Letter, to: &str, text: String) -> Thread {
    letter.to = vec![to.to_owned()];
    letter.paragraphs = text.split("; ; ").map(str::to_owned).collect();
    Thread { subject, letters: vec![letter] }
}

fn reply(thread: &mut Thread, from: &str, hours: i64, text: String) {
    let Some(last) = thread.letters.last() else { return };
    let mut letter = Letter::new(from, add(last.at, hours.hours().minutes(13 + hours)), last.place);
    letter.answers = Some(thread.letters.len() - 1);
    letter.paragraphs = vec![text];
    thread.letters.push(letter);
}

const READING: &str = "{Readings|Figures|The numbers} for week $week. {Level|Water stands} $level m below the spillway, P7 at $p7 m\
{, the other piezometers as they were|, P6 no change|. Drains 4 and 5 {clear|a little more than last week|about as last week}}.; ; \
{Wet patch below block 12: $patch paces long.|Paint round the patch: $patch paces by {three|four|five}.|Patch $patch paces, {grass dead inside it|ground soft|boots full}.} \
{Gate 2 greased.|Fence by the lower track mended.|Two anglers sent home.|A heron on the gauge board all week, it did not mind me.|Wind from the east.|Frost on the crest.|Siren test not done, nobody gave me the key.}";

fn readings(random: &mut Random) -> Vec<Thread> {
    let pressures = pressures();
    (1..88).step_by(2).map(|week: usize| {
        let days = week as i64 * 7 + 1;
        let below = if week < 46 { 30 + random.below(50) } else if week == 71 { 40 } else { 180 + random.below(30) };
        let patch = if week < 46 { 6 + week as u64 / 4 } else { 16_u64.saturating_sub(week as u64 / 8) };
        let values = [
            ("week", week.to_string()),
            ("level", format!("{}.{:02}", below / 100, below % 100)),
            ("p7", format!("{:.2}", pressures[week] as f64 / 100.0)),
            ("patch", patch.to_string()),
        ];
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let at = on(days, random);
        let text = random.write(READING, &values);
        let mut thread = single(format!("Alder Reservoir, readings week {week}"), Letter::new("owen", at, Place::Maildir), "ruth", text);
        if random.below(4) == 0 {
            let answer = random.write("{Thank you, Owen.|Received and filed.|Noted, with thanks.} {Is the patch still growing?|I have put these on the website.|Please keep the paper copies as well.|Who has the key of the siren?}", &[]);
            reply(&mut thread, "ruth", 3, answer);
        }
        thread
    }).collect()
}

fn residents() -> Vec<Person> {
    const FIRST: [&str; 16] =
        ["Ada", "Bram", "Cora", "Dev", "Elsie", "Femi", "Gwen", "Hal", "Iris", "Jonah", "Kit", "Leda", "Miro", "Nell", "Osric", "Pia"];
    const LAST: [&str; 16] = [
        "Marsh", "Okafor", "Tolley", "Brook", "Sandhu", "Weir", "Larkin", "Voss", "Penny", "Ruddock", "Ferris", "Hythe", "Sorrel",
        "Quayle", "Bann", "Thorne",
    ];
    let person = |at: usize| {
        let (first, last) = (FIRST[at % 16], LAST[at * 7 % 16]);
        Person {
            key: format!("resident{at}"),
            name: format!("{first} {last}"),
            address: format!("{}.{}@lowervalley.example", first.to_lowercase(), last.to_lowercase()),
            signature: vec![
                format!("{first} {last}"),
                format!("{} {}", 2 + at * 3 % 41, ["Mill Lane", "Chapel Row", "Quay Street", "Lower Bridge"][at % 4]),
            ],
        }
    };
    (0..16).map(person).collect()
}

const LETTERS: [(&str, &str, &str); 12] = [
    (
        "Water in the cellar",
        "{There has been|I have had|We have found} water in {my|our} cellar {since {March|the spring|Easter}|for three weeks now}. It is {cold and clear|quite clear|clean but cold}, and the {plumber|man from the gas board} says it is not from the pipes.; ; {Could somebody come and look?|Who do I speak to?|My neighbour has the same.}",
        "{Thank you for writing.|I am sorry to hear this.} I have added your house to the list, which {is growing|has eleven on it now}. Please keep a jar of it, with the date.",
    ),
    (
        "The siren",
        "{I could not hear the siren|The siren on Mill Lane made no sound|Is the siren working?} {on Saturday|at the test|this year}. {I am 81 and on my own.|We have two small children.|My hearing is fine.} What are we supposed to do when it {goes|does go}?",
        "The drill will be announced by letter. Until then: uphill, towards the school, on foot. {Please tell your neighbours.|I will see to Mill Lane.}",
    ),
    (
        "Drilling at night",
        "The drilling rig {was at it again|ran} until {ten|half past ten|past eleven} {last night|on Tuesday|all week}. {I thought they stopped at six.|Nobody asked us.} And {then it stopped altogether and went away|why do they skip so many places, you can see the paint marks from my window}?",
        "The permitted hours are 7 to 19. I have told the contractor. {About the paint marks I have asked too.|You are not the first to mention the paint marks.}",
    ),
    (
        "Footpath below the dam",
        "The {footpath|lower path} below the dam is {closed|under water|fenced off} {again|without notice}. {It is a right of way.|I walk the dog there.} {The sign says \"maintenance\" and I saw no one maintaining.|When will it open?}",
        "The path is closed on the reservoir keeper's order because the ground is soft. {It will stay closed for the present.|A diversion is signposted.}",
    ),
    (
        "Price of water",
        "My water bill has gone up by {eleven|nine|fourteen} per cent. {The letter says it is for the wall.|Is this for the repairs?} {I would like to see what was repaired.|Then I should like to see the wall.}",
        "The charge was set by the finance committee on 2 March for \"structural works\". The accounts are open for inspection in {June|the first week of June}.",
    ),
    (
        "Fishing permits",
        "{Last year|In other years} the permits {came|were sent} in February. It is {April|nearly May}. {The trout do not wait.|Is there to be a season at all with the level as it is?}",
        "Permits are {delayed|being printed}. With the level lowered the east bank is closed to anglers. {The west bank is better anyway, I am told.|}",
    ),
    (
        "Brown water",
        "The tap water {was brown|came out brown} {this morning|on Sunday} for {ten minutes|about an hour}. {I ran it until it cleared.|I filled a bottle.} Is it {safe|to do with the works}?",
        "That was the main being flushed. {Please keep the bottle.|The laboratory has your bottle.} If it happens again tell the keeper the same hour, not the next day.",
    ),
    (
        "House insurance",
        "My insurer {wants|asks for} a letter that the house is not in the path of {the reservoir|a flood}. {Last year they did not ask.|Why are they asking now?} {The sale falls through on Friday without it.|Can you send one?}",
        "I am not able to write that letter. I can send you the inundation map of 1974, which is public and in which {your street is shaded|every street of the Lower Valley is shaded}.",
    ),
    (
        "School visit to the reservoir",
        "Year {five|six} would like to visit the reservoir {on the 12th|in May|before the summer}. {Mr Petrie was so good with them last year.|We are 28 and two helpers.}",
        "Mr Petrie says they are welcome on the crest and nowhere else. {He asks that nobody touch the paint.|He will bring the heron.}",
    ),
    (
        "What is in the report?",
        "{It was said at the meeting|I read in the Courier} that there is an engineer's report on the east wall. {Why may we not read it?|Where can I read it?} {We paid for it.|My house is four hundred yards below it.}",
        "{You may ask for it under the information rules.|A request is pending.} I would put it in writing and I would put the date on it.",
    ),
    (
        "Thank you",
        "{I wanted to say thank you|Thank you} to {the keeper|Mr Petrie} for {knocking|coming round} {on Sunday night|in the rain}. {We were in the school by four.|My mother says he was very polite for three in the morning.}",
        "I have passed this on. He read it twice and has gone to look at the level.",
    ),
    (
        "Allotments by the spillway",
        "The {beans|leeks} on plots 9 to 14 are {standing in water|drowned}, and the {ditch|drain} has not been {dug|cleared} since {the autumn|they brought the lorries through}. {Who is responsible?|I rang twice.}",
        "The drain belongs to the works department. {I have sent them your letter with mine on top.|They say next week. I have written down which week.}",
    ),
];

fn letters(random: &mut Random, residents: &[Person]) -> Vec<Thread> {
    (0..44)
        .map(|number: usize| {
            let (subject, text, answer) = LETTERS[(number * 5 + number / 12) % LETTERS.len()];
            let person = &residents[(number * 3 + number / 16) % residents.len()];
            let at = on(120 + number as i64 * 12, random);
            let place = if number.is_multiple_of(3) { Place::Maildir } else { Place::Zip };
            let opening = random.write("{Dear Sir or Madam,|Dear Mrs Amory,|Dear Council,|Hello,}; ; ", &[]);
            let text = opening + &random.write(text, &[]);
            let mut thread = single(subject.to_owned(), Letter::new(&person.key, at, place), "ruth", text);
            if number % 5 < 3 {
                let answer = random.write(answer, &[]);
                reply(&mut thread, "ruth", 20 + random.below(40) as i64, answer);
            }
            if number % 11 == 4 {
                let thanks = random.write(
                    "{Thank you.|That was quick.} {I shall hold you to it.|It is still wet, I must say.|The jar is on the window sill.}",
                    &[],
                );
                reply(&mut thread, &person.key, 5, thanks);
            }
            thread
        })
        .collect()
}

const HEADLINES: [&str; 10] = [
    "Reservoir: council will not say how high the water stands",
    "Regatta: record crowd, one sinking, no hard feelings",
    "Who certified the east wall?",
    "Mill Lane bakery wins county prize for rye bread",
    "Eleven jars: residents bring their cellars to the council",
    "Car park charges deferred for the seventh time",
    "Half a curtain: engineer's list shows holes never drilled",
    "Lower Valley drill: one siren silent, two cats saved",
    "Inquiry opens into repairs at Alder Reservoir",
    "Heron keeps watch on gauge board",
];

fn newsletters(random: &mut Random) -> Vec<Thread> {
    (0..16).map(|issue: usize| {
        let at = on(90 + issue as i64 * 34, random);
        let lead = HEADLINES[issue * 3 % HEADLINES.len()];
        let others: Vec<&str> = (1..4).map(|n| HEADLINES[(issue * 3 + n * 4) % HEADLINES.len()]).collect();
        let list: String = others.iter().map(|line| format!("<li><a href=\"https://brackwatercourier.example/{}\">{line}</a></li>\n", line.len())).collect();
        let mut letter = Letter::new("noor", at, Place::Maildir);
        letter.html = Some(format!(
            "<html><head><style>h1{{color:#843}}</style><script>new Image().src='https://track.brackwatercourier.example/js?'+issue</script></head>\n\
             <body bgcolor=\"#fff8ee\"><table width=\"640\"><tr><td>\n<h1>The Brackwater Courier</h1>\n<p><b>{lead}</b></p>\n<p>Also this morning:</p>\n<ul>\n{list}</ul>\n\
             <p>You get this letter because you asked for it. <a href=\"https://brackwatercourier.example/stop?id={issue}\">No more, please</a>.</p>\n\
             <img src=\"https://track.brackwatercourier.example/open.gif?reader=ruth&amp;issue={issue}\" width=\"1\" height=\"1\" alt=\"\">\n</td></tr></table></body></html>\n"
        ));
        // Every other one has no plain text beside it, as newsletters do.
        let text = if issue.is_multiple_of(2) { format!("{lead}; ; Also this morning:; ; {}", others.join("; ; ")) } else { String::new() };
        single(format!("Courier morning letter: {lead}"), letter, "ruth", text)
    }).collect()
}

fn agendas(random: &mut Random) -> Vec<Thread> {
    const ITEMS: [&str; 12] = [
        "Alder Reservoir: progress of repairs",
        "car park charges",
        "Regatta: accounts",
        "sirens and drills",
        "twin towns",
        "allotment drains",
        "library roof",
        "market stalls",
        "footpaths",
        "information requests",
        "bus shelter at Lower Bridge",
        "bakery sign, Mill Lane",
    ];
    (0..20).map(|month: i64| {
        let at = on(20 + month * 30, random);
        let start = random.below(12) as usize;
        let items: Vec<String> = (0..5).map(|n| format!("{}. {}", n + 4, ITEMS[(start + n * 5) % 12])).collect();
        let text = format!("The agenda for {}:; ; 1. apologies; ; 2. minutes; ; 3. questions from the public; ; {}", at.strftime("%B %Y"), items.join("; ; "));
        let mut thread = single(format!("Agenda, {}", at.strftime("%B %Y")), Letter::new("ruth", at, Place::Maildir), "dalia", text);
        if let Some(letter) = thread.letters.first_mut() {
            letter.cc = vec!["greta".to_owned(), "martin".to_owned()];
        }
        if month % 4 == 1 {
            let answer = random.write("{Can item 4 be taken first? There will be people in the gallery.|Please add the level of the reservoir.|I ask for a recorded vote on item {4|5}.} {I have 214 reasons.|}", &[]);
            reply(&mut thread, "greta", 6, answer);
        }
        thread
    }).collect()
}

fn progress(random: &mut Random) -> Vec<Thread> {
    (1..=11).map(|week: i64| {
        let at = on(91 + week * 7, random);
        let holes = (week * 6 - 3).to_string();
        let text = random.write("Progress, week $week. Primary series: holes to $last done. {Grout take {higher than|as} expected.|Two holes not to pressure, capped on instruction.|Rain, half a day lost.}; ; From Monday we are on block {9|10|11|12}. {Secondary series: not instructed.|Secondary series: no instruction yet, I ask again.}", &[("week", &week.to_string()), ("last", &holes)]);
        let mut thread = single(format!("East wall: progress report {week}"), Letter::new("petra", at, Place::Mbox), "martin", text);
        if week % 3 == 0 {
            let answer = random.write("{Good.|Fine.|Thanks.} {Let us be out before Easter.|No need for the second paragraph in future.|Keep these short please.}", &[]);
            reply(&mut thread, "martin", 2, answer);
        }
        thread
    }).collect()
}
