use super::http::agent;
use base64::Engine as _;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Headless Chromium, driven through chromedriver (W3C WebDriver, and Chromium's own commands where that has none).
pub(crate) struct Browser {
    driver: Child,
    session: String,
}

/// What the reader's system prefers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

impl Browser {
    pub(crate) fn start() -> Self {
        Self::start_with(&[], json!({}))
    }

    /// A browser as people at risk have it: everything through a SOCKS proxy, which also finds the names, and no script runs.
    pub(crate) fn without_scripts_through(socks: &str) -> Self {
        let proxy = format!("--proxy-server=socks5://{socks}");
        // So tall that nothing need be scrolled to, which the driver does by script.
        Self::start_with(&[&proxy, "--window-size=1000,4000"], json!({ "profile.managed_default_content_settings.javascript": 2 }))
    }

    fn start_with(more: &[&str], preferences: Value) -> Self {
        // It takes a port that was free for IPv4, and ends where another has it for IPv6 by then.
        let (driver, port) = (0..5).find_map(|_| start_driver()).expect("chromedriver says its port");
        let mut browser = Self { driver, session: format!("http://127.0.0.1:{port}/session") };
        // Everything runs as root in a container on a test machine, where Chromium's own sandbox cannot.
        let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"];
        // What Chromium takes for a window in the background has its timers once a second or a minute, and axe waits for hundreds of them.
        let awake =
            ["--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding"];
        // It asks nobody for anything by itself.
        let alone = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
        let arguments: Vec<&str> = arguments.iter().chain(&awake).chain(&alone).chain(more).copied().collect();
        let capabilities = json!({
            "goog:chromeOptions": { "binary": "/usr/bin/chromium", "args": arguments, "prefs": preferences },
            "goog:loggingPrefs": { "performance": "ALL" },
            // In milliseconds. A slow machine that runs other tests beside takes more than the usual 30 seconds for axe on a long page.
            "timeouts": { "script": 300_000, "pageLoad": 300_000, "implicit": 0 },
        });
        let made = browser.call("", &json!({ "capabilities": { "alwaysMatch": capabilities } }));
        browser.session = format!("{}/{}", browser.session, made["sessionId"].as_str().unwrap());
        browser
    }

    /// Posts a command, and gives back its value.
    #[track_caller]
    fn call(&self, command: &str, body: &Value) -> Value {
        let url = format!("{}{command}", self.session);
        let mut answer = agent().post(&url).content_type("application/json").send(body.to_string()).unwrap();
        let text = answer.body_mut().with_config().limit(1 << 28).read_to_string().unwrap();
        let mut value: Value = serde_json::from_str(&text).unwrap();
        assert!(answer.status().is_success(), "{command}: {}", value["value"]["message"]);
        value["value"].take()
    }

    /// A command of Chromium's own protocol.
    #[track_caller]
    fn chromium(&self, command: &str, parameters: &Value) -> Value {
        self.call("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    #[track_caller]
    pub(crate) fn open(&self, url: &str) {
        self.call("/url", &json!({ "url": url }));
    }

    /// How wide the window is, in CSS pixels, and what the reader prefers.
    pub(crate) fn look(&self, width: u32, theme: Theme) {
        self.chromium(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false }),
        );
        // Without motion, so that what was scrolled to is there at once.
        let features =
            json!([{ "name": "prefers-color-scheme", "value": theme.word() }, { "name": "prefers-reduced-motion", "value": "reduce" }]);
        self.chromium("Emulation.setEmulatedMedia", &json!({ "media": "", "features": features }));
    }

    /// Runs a script in the page, as a debugger does: the page's own policy does not hold it back. `return` gives its value.
    #[track_caller]
    pub(crate) fn run(&self, script: &str) -> Value {
        self.call("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// As [`run`](Self::run), for a script that calls its last argument with its value when it has one.
    #[track_caller]
    pub(crate) fn run_async(&self, script: &str) -> Value {
        self.call("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// The address and the title of the page that is open.
    pub(crate) fn at(&self) -> (String, String) {
        let both = self.run("return [location.href, document.title]");
        (both[0].as_str().unwrap().to_owned(), both[1].as_str().unwrap().to_owned())
    }

    /// Waits until the address begins so and the page is whole: on a busy machine a form that was sent, or a link, is still on its way when the driver answers.
    /// Panics with where it is instead after a minute.
    #[track_caller]
    pub(crate) fn arrive(&self, beginning: &str) {
        let until = Instant::now() + Duration::from_secs(60);
        while !self.at().0.starts_with(beginning) || self.run("return document.readyState") != "complete" {
            assert!(Instant::now() < until, "{:?}", self.at());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks the first element that the selector finds, as a pointer does: it must be there, visible and not covered.
    #[track_caller]
    pub(crate) fn click(&self, selector: &str) {
        let element = self.find(selector);
        // The driver scrolls too, but by the size that the window had before `look`.
        self.run(&format!("document.querySelector({}).scrollIntoView({{ block: 'center' }})", json!(selector)));
        self.call(&format!("/element/{element}/click"), &json!({}));
    }

    /// What a person reads of the first element that the selector finds.
    #[track_caller]
    pub(crate) fn text(&self, selector: &str) -> String {
        let element = self.find(selector);
        let url = format!("{}/element/{element}/text", self.session);
        let text = agent().get(&url).call().unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["value"].as_str().unwrap_or_default().to_owned()
    }

    /// Presses the first element that the selector finds, where no script may help to bring it into view, and waits until its page is left:
    /// through Tor the driver answers while the form that was sent is still on its way. Panics if nothing has come of it after two minutes.
    #[track_caller]
    pub(crate) fn press(&self, selector: &str) {
        let element = self.find(selector);
        self.call(&format!("/element/{element}/click"), &json!({}));
        let until = Instant::now() + Duration::from_secs(120);
        // What an element's page no longer is, the element is not either (W3C WebDriver, "stale element reference").
        while agent().get(format!("{}/element/{element}/name", self.session)).call().unwrap().status().is_success() {
            assert!(Instant::now() < until, "{selector}: the page is still there");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Types into the first element that the selector finds.
    #[track_caller]
    pub(crate) fn write(&self, selector: &str, text: &str) {
        let element = self.find(selector);
        self.call(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    #[track_caller]
    fn find(&self, selector: &str) -> String {
        let found = self.call("/element", &json!({ "using": "css selector", "value": selector }));
        found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned()
    }

    /// Saves a picture of the whole page, however long.
    pub(crate) fn picture(&self, file: &Path) {
        let shot = self.chromium("Page.captureScreenshot", &json!({ "format": "png", "captureBeyondViewport": true }));
        let bytes = base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }

    /// The addresses of everything that pages asked for since the last time this was asked, whether or not it was let through.
    pub(crate) fn requests(&self) -> Vec<String> {
        let log = self.call("/se/log", &json!({ "type": "performance" }));
        let messages =
            log.as_array().unwrap().iter().map(|entry| serde_json::from_str::<Value>(entry["message"].as_str().unwrap()).unwrap());
        let sent = messages.filter(|message| message["message"]["method"] == "Network.requestWillBeSent");
        sent.map(|message| message["message"]["params"]["request"]["url"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromedriver ends the browser with the session; killed alone it would leave it behind.
        let _ = agent().delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Starts a driver. `None` if it ends without saying its port.
fn start_driver() -> Option<(Child, String)> {
    let mut driver =
        Command::new("chromedriver").arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
    let port = lines.find_map(|line| Some(line.split_once("started successfully on port ")?.1.trim_end_matches('.').to_owned()));
    std::thread::spawn(move || lines.for_each(drop));
    if port.is_none() {
        let _ = driver.kill();
        let _ = driver.wait();
    }
    Some((driver, port?))
}
