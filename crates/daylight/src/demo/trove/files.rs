use super::picture;
use super::random::Random;
use super::zip::stored;

/// A file that is attached to a message.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) media_type: &'static str,
    pub(super) bytes: Vec<u8>,
}

impl File {
    pub(super) fn new(name: &str, media_type: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.to_owned(), media_type, bytes: bytes.into() }
    }
}

const NOTE: &str = "Covering note to item 6: Alder Reservoir, east wall\n\nThe council's engineers, Orrin & Pike, have surveyed the east wall. Their \
report suggests a range of operating measures and a repair to the joint between blocks 11 and 12 in the next maintenance period.\n\nMembers are asked \
to note the report and to seek prices.\n";

const PRICES: &str = "bidder,drilling (m),cement (t),price,weeks\nTidewell Civil Works,380,160,1912400,12\nHarker Foundations,610,330,2846000,19\n\
Bellwether Geotechnical,640,345,2990500,21\n";

const DIARY: &str = "Mon  rain. holes 17, 19. pressure reached at both.\nTue  hole 21, 1.2 t, pressure reached.\nWed  hole 23, 4.1 t, NO pressure. stopped 16:30.\n\
Thu  told to cap hole 23. capped 09:10. hole 25.\nFri  hole 27, 3.6 t, no pressure. capped as told.\nSat  wet patch below block 12 photographed, \
7 m x 3 m.\n";

const INVOICE: &str = "TIDEWELL CIVIL WORKS            final account, Alder Reservoir east wall\n\nmobilisation                              88,000\n\
primary series, 61 holes               1,586,000\nadditional drilling, 19 holes            175,750\ncement and admixtures                    238,400\n\
                                       ---------\n                                       2,088,150\n";

const PETITION: &str = "We, the undersigned households of the Lower Valley, ask the Town Council\n  1. to publish the engineer's report on the east wall;\n  \
2. to publish the level of the reservoir every week;\n  3. to hold a drill, and to tell us where to go.\n\n214 households have signed.\n";

const VOTES: &str = "councillor,ward,vote\nAlder,Hill,for\nBasset,Mill,for\nCorrie,Quay,against\nDunmore,Hill,for\nEames,Lower Valley,for\nFairlie,Quay,against\n\
Grieve,Market,for\nLindqvist,Lower Valley,for\nMorrow,Market,for\nNairn,Mill,against\nQuill,Market,abstained\nStern,Quay,against\nTrant,Hill,for\n";

const DRILL: &str = "siren,heard,first minute\nSchool,yes,0\nQuay,yes,0\nMill Lane,no,\nChapel Row,yes,1\nLower Bridge,yes,0\n";

const ANALYSIS: &str = "проба,подвал,кальций мг/л,кислород мг/л\n1,Mill Lane 4,11.8,9.1\n2,Mill Lane 6,12.0,9.0\n3,Chapel Row 2,11.6,9.3\n\
4,Chapel Row 9,12.3,8.8\n5,водохранилище,11.7,9.2\n6,колодец (грунтовая),88.4,2.1\n";

const FINDINGS: &str = "1. The survey of October 2014 was right.\n2. Its warning was taken out of the summary that members read.\n3. Half of the curtain was \
built, and all of it was paid for.\n4. The keeper, the clerk and the site engineer each did, against advice, what their office asked of them.\n\
5. Nobody died. That is not to the credit of the Works Department.\n";

/// The file of this name. `forwarded` is the message that forwarded.eml holds.
pub(super) fn file(name: &str, forwarded: &[u8]) -> File {
    match name {
        "survey.pdf" => File::new("Alder-east-wall-survey-2014.pdf", "application/pdf", survey()),
        "note.txt" => File::new("covering-note-item-6.txt", "text/plain; charset=utf-8", NOTE),
        "prices.csv" => File::new("prices.csv", "text/csv; charset=utf-8", PRICES),
        "diary.txt" => File::new("site-diary-2015-week-07.txt", "text/plain; charset=utf-8", DIARY),
        "p7.png" => File::new("P7.png", "image/png", picture::chart(&pressures())),
        "readings.csv" => File::new("P7-since-2014.csv", "text/csv; charset=utf-8", readings()),
        "invoice.txt" => File::new("final account.txt", "text/plain; charset=utf-8", INVOICE),
        "petition.txt" => File::new("petition.txt", "text/plain; charset=utf-8", PETITION),
        "holes.csv" => File::new("drilled holes.csv", "text/csv; charset=utf-8", holes()),
        "votes.csv" => File::new("recorded vote 7 September.csv", "text/csv; charset=utf-8", VOTES),
        "drill.csv" => File::new("drill.csv", "text/csv; charset=utf-8", DRILL),
        "forwarded.eml" => File::new("as received.eml", "message/rfc822", forwarded),
        "payments.zip" => File::new("payments.zip", "application/zip", payments()),
        "foto.png" => File::new("presa – mañana.png", "image/png", picture::dam()),
        "analysis.csv" => File::new("анализ воды.csv", "text/csv; charset=utf-8", ANALYSIS),
        _ => File::new("findings.txt", "text/plain; charset=utf-8", FINDINGS),
    }
}

/// What P7 read, in centimetres of water, week by week from October 2014.
pub(super) fn pressures() -> Vec<i64> {
    let mut random = Random::new(7);
    let level = |week: i64| match week {
        0..=14 => 556 + week * 5,
        15..=26 => 626 - (week - 15) / 3,
        27..=45 => 622 + (week - 27) * 3,
        46..=52 => 676 - (week - 45) * 22,
        53..=69 => 520 - (week - 53) * 2,
        70..=71 => 760,
        _ => 470 - (week - 72),
    };
    (0..88).map(|week| level(week) + random.below(5) as i64).collect()
}

fn readings() -> String {
    let row = |(week, value): (usize, &i64)| format!("{},{:.2},5.10\n", week + 1, *value as f64 / 100.0);
    "week,P7 (m),design (m)\n".to_owned() + &pressures().iter().take(28).enumerate().map(row).collect::<String>()
}

fn holes() -> String {
    let mut random = Random::new(124);
    let mut table = "hole,block,depth (m),cement (t),to pressure\n".to_owned();
    for hole in 1..=61u64 {
        let open = (24..=50).contains(&hole) && hole % 2 == 0;
        let (depth, cement) = (6 + random.below(4), 6 + random.below(20) + if open { 30 } else { 0 });
        table += &format!(
            "{},{},{depth}.{},{}.{},{}\n",
            hole * 2 - 1,
            9 + hole / 11,
            random.below(10),
            cement / 10,
            cement % 10,
            if open { "no" } else { "yes" }
        );
    }
    table
}

fn payments() -> Vec<u8> {
    let mut table = "date,reference,amount,for\n".to_owned();
    let amounts = [(88_000, "mobilisation"), (640_000, "primary series"), (946_000, "primary series"), (238_400, "cement and admixtures")];
    for (number, (amount, what)) in amounts.into_iter().enumerate() {
        table += &format!("2015-0{}-27,TW-{:03},{amount},{what}\n", number + 1, number + 1);
    }
    for hole in 0..19 {
        table += &format!("2015-05-12,TW-{:03},9250,additional drilling hole {}\n", hole + 5, 125 + hole);
    }
    let note = "Holes 125 to 143 are on no drawing. The wall ends at hole 124. T.I.\n";
    stored(&[("payments/tidewell-2015.csv", table.as_bytes()), ("payments/READ ME.txt", note.as_bytes())])
}

/// A page of PDF 1.4 with the survey's summary.
fn survey() -> Vec<u8> {
    let lines = [
        "Orrin & Pike, Dam Engineers",
        "Alder Reservoir: survey of the east wall, October 2014",
        "",
        "Summary",
        "1. The joint between blocks 11 and 12 has opened by 3 mm in eighteen months.",
        "2. Piezometer P7 reads 1.4 m above the design value and follows the level by nine days.",
        "3. We recommend a grout curtain along blocks 9 to 14, holes at 1.5 m, primary and secondary.",
        "4. Until then the level should be held two metres below the spillway.",
        "5. We regard this work as urgent.",
    ];
    let shown: String = lines.iter().map(|line| format!("({line}) Tj T*\n")).collect();
    let page = format!("BT /F1 12 Tf 18 TL 60 760 Td\n{shown}ET\n");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{page}endstream", page.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut pdf = "%PDF-1.4\n".to_owned();
    let mut places = String::new();
    for (number, object) in objects.iter().enumerate() {
        places += &format!("{:010} 00000 n \n", pdf.len());
        pdf += &format!("{} 0 obj\n{object}\nendobj\n", number + 1);
    }
    let table = pdf.len();
    pdf += &format!("xref\n0 6\n0000000000 65535 f \n{places}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n");
    pdf.into_bytes()
}
