//! Random logs of decisions, tame and wild.

use super::rng::Rng;

/// What a log is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Categories and small numbers, every line labelled.
    Tame,
    /// Whatever a JSON document can say, and lines that are not quite documents.
    Wild,
    /// Slots.
    Slots,
    /// Actions that are known by their number only.
    Numbered,
}

/// So many actions are known by their number.
pub const NUMBERED: usize = 4;

/// The lines of a log.
pub fn log(rng: &mut Rng, style: Style) -> Vec<String> {
    let lines = rng.between(1, 40);
    let mut actions = match style {
        Style::Wild => rng.between(1, 60),
        _ => rng.between(1, 8),
    };
    let varies = rng.one_in(2);
    let mut line = |number: usize| {
        if varies && rng.one_in(3) {
            let most = if style == Style::Wild { 60 } else { 8 };
            actions = rng.between(1, most);
        }
        let wild = style == Style::Wild;
        match style {
            Style::Slots => Line { rng, wild: false }.slots(number, actions.max(2)),
            Style::Numbered => Line { rng, wild: false }.numbered(number),
            _ => Line { rng, wild }.single(number, actions),
        }
    };
    (0..lines).map(&mut line).collect()
}

/// A line that is being written.
struct Line<'r> {
    rng: &'r mut Rng,
    wild: bool,
}

impl Line<'_> {
    fn single(&mut self, number: usize, actions: usize) -> String {
        let shared = self.context();
        let multi: Vec<_> = (0..actions).map(|action| self.action(action)).collect();
        let mut content = vec![format!("\"_multi\":[{}]", multi.join(","))];
        if !shared.is_empty() {
            let at = self.rng.below(2);
            content.insert(at, shared);
        }
        let mut keys = Vec::new();
        if !self.rng.one_in(if self.wild { 8 } else { 30 }) {
            keys.push(self.label(actions));
        }
        keys.push(format!("\"EventId\":\"e{number}\""));
        keys.push(format!("\"a\":[{}]", list(1..=actions)));
        if self.rng.one_in(6) {
            keys.push(self.unread().to_owned());
        }
        if self.rng.one_in(8) {
            keys.push(format!("\"pdrop\":{}", self.rng.pick(&["0", "0.5", "0.3", "0.9"])));
        }
        keys.push(format!("\"c\":{{{}}}", content.join(",")));
        if self.rng.one_in(2) {
            keys.push(format!("\"p\":[{}]", list((0..actions).map(|_| share(actions)))));
        }
        let line = format!("{{{}}}", keys.join(","));
        if self.wild && self.rng.one_in(25) { self.odd(&line) } else { line }
    }

    /// An event that says nothing of its actions.
    fn numbered(&mut self, number: usize) -> String {
        let context = self.context();
        // An empty context looks like a line that was dropped.
        let context = format!("{context},\"t\":1").trim_start_matches(',').to_owned();
        let mut label = self.label(NUMBERED);
        // An index among actions that are not listed is out of range.
        if !self.rng.one_in(15) {
            label = label.replacen("_labelIndex", "_ignored", 1);
        }
        let label = if self.rng.one_in(12) { String::new() } else { format!("{label},") };
        let pdrop = if self.rng.one_in(8) { "\"pdrop\":0.5," } else { "" };
        format!(
            "{{{label}\"EventId\":\"e{number}\",{pdrop}\"a\":[{}],\"c\":{{{context}}}}}",
            list(1..=NUMBERED)
        )
    }

    fn label(&mut self, actions: usize) -> String {
        let chosen = self.rng.below(actions);
        let cost = if self.wild {
            self.number()
        } else {
            self.rng.pick(&["0", "-1", "1", "-0.5", "0.25", "2"]).to_owned()
        };
        let probability = match self.rng.below(6) {
            0 => 1.0,
            1 => 0.05,
            2 => 1e-3,
            _ => share(actions),
        };
        format!(
            "\"_label_cost\":{cost},\"_label_probability\":{probability},\"_label_Action\":{},\"_labelIndex\":{chosen}",
            chosen + 1
        )
    }

    /// What changes no prediction.
    fn unread(&mut self) -> &'static str {
        self.rng.pick(&[
            "\"_original_label_cost\":-0.5",
            "\"_original_label_cost\":null",
            "\"_ba\":[1]",
            "\"_ba\":{\"x\":1}",
            "\"EventId\":null",
            "\"p\":[null]",
            "\"_skipLearn\":false",
            "\"_skipLearn\":null",
            "\"_label_cost\":null",
            "\"_label_probability\":null",
            "\"_labelIndex\":null",
            "\"_label_Action\":null",
            "\"Timestamp\":\"2026-01-01T00:00:00.123Z\"",
            "\"VWState\":{\"m\":\"a/b\",\"n\":[1,{\"}\":2}]}",
            "\"_group\":[1,[2,3]]",
            "\"pdf\":[]",
        ])
    }

    /// Something that happens to lines.
    fn odd(&mut self, line: &str) -> String {
        match self.rng.below(14) {
            0 => {
                let length = self.rng.below(line.len());
                line.chars().take(length).filter(char::is_ascii).collect()
            }
            1 => line.replacen("\"a\":[", "\"b\":[", 1),
            2 => line.replacen('{', "{\"_skipLearn\":true,", 1),
            3 => line.replacen('{', "{\"unread\":{\"x\":[1,{\"y\":\"}\\\"\"}]},", 1),
            4 => line.replacen("\"_multi\":[", "\"_multi\":[null,", 1),
            5 => line.replacen("\"c\":{", "\"c\":{\"flag\":tru,", 1),
            6 => line.replacen("_labelIndex\":", "_labelIndex\":9", 1),
            7 => line.replacen("\"_label_probability\":", "\"_label_probability\":null,\"x\":", 1),
            8 => line.replacen("\"_label_cost\":", "\"_label_cost\":null,\"x\":", 1),
            9 => line.replacen("\"a\":[", "\"a\":[],\"b\":[", 1),
            10 => line.replacen('{', "{\"pdrop\":1,", 1),
            11 => line.replacen("\"c\":{", "\"c\":{\"list\":[\"text\"],", 1),
            12 => format!("{line}\r"),
            _ => line.replacen("\"c\":{", "\"c\" : { ", 1),
        }
    }

    fn context(&mut self) -> String {
        let mut members = Vec::new();
        for name in ["F", "N", "c", "x"] {
            if self.rng.one_in(2) {
                members.push(format!("\"{name}\":{}", self.namespace()));
            }
        }
        if self.wild {
            for _ in 0..self.rng.below(4) {
                members.push(self.member(2));
            }
        } else if self.rng.one_in(3) {
            members.push(format!("\"device\":\"{}\"", self.rng.pick(&["phone", "tv"])));
        }
        members.join(",")
    }

    fn action(&mut self, number: usize) -> String {
        let mut members = Vec::new();
        if self.rng.one_in(3) {
            members.push(format!("\"_tag\":\"{number}\""));
        }
        if !self.rng.one_in(8) {
            members.push(format!("\"i\":{{\"constant\":1,\"id\":\"{}\"}}", number % 11));
        }
        if self.rng.one_in(2) {
            members.push(format!("\"j\":{}", self.namespace()));
        }
        if self.wild {
            for _ in 0..self.rng.below(3) {
                members.push(self.member(3));
            }
        }
        format!("{{{}}}", members.join(","))
    }

    /// An object, a list of objects as the service writes them, or numbers.
    fn namespace(&mut self) -> String {
        match self.rng.below(5) {
            0 | 1 => self.object(2),
            2 => {
                let count = self.rng.between(1, 3);
                let objects: Vec<_> = (0..count).map(|_| self.object(2)).collect();
                format!("[{}]", objects.join(","))
            }
            3 => {
                let count = self.rng.between(1, 4);
                let numbers: Vec<_> = (0..count).map(|_| self.number()).collect();
                format!("[{}]", numbers.join(","))
            }
            _ => format!(
                "{{\"{}\":\"{}\"}}",
                self.rng.pick(&["f", "g"]),
                self.rng.pick(&["a", "b", "c"])
            ),
        }
    }

    fn object(&mut self, depth: usize) -> String {
        let members: Vec<_> = (0..self.rng.below(4)).map(|_| self.member(depth)).collect();
        format!("{{{}}}", members.join(","))
    }

    fn member(&mut self, depth: usize) -> String {
        let key = self.key();
        let value = self.value(depth);
        match key.as_str() {
            "_text" => format!("\"_text\":\"{}\"", self.rng.pick(&["a b", "tok:en  x|y", "", "7"])),
            key => format!("\"{key}\":{value}"),
        }
    }

    fn key(&mut self) -> String {
        let tame = ["a", "b", "v", "N", "Fa", "long name", "7"];
        let wild = [
            "",
            "_ignored",
            "_text",
            "\\u0041bc",
            "a\\nb",
            " pad ",
            "x|y:z",
            "_esc\\u0061ped",
            "10",
            "naïve",
            "b\\\"q",
            "i",
            "j",
            "F",
            "t\\tb",
        ];
        let key = if self.wild && self.rng.one_in(3) {
            self.rng.pick(&wild)
        } else {
            self.rng.pick(&tame)
        };
        key.to_owned()
    }

    fn value(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.number();
        }
        match self.rng.below(if self.wild { 10 } else { 6 }) {
            2 | 3 => format!("\"{}\"", self.text()),
            4 => self.rng.pick(&["true", "false"]).to_owned(),
            5 => self.object(depth - 1),
            6 => "null".to_owned(),
            7 => {
                let count = self.rng.below(4);
                let objects: Vec<_> = (0..count).map(|_| self.object(depth - 1)).collect();
                format!("[{}]", objects.join(","))
            }
            8 => {
                let count = self.rng.below(4);
                let elements: Vec<_> = (0..count).map(|_| self.element(depth)).collect();
                format!("[{}]", elements.join(","))
            }
            _ => self.number(),
        }
    }

    fn element(&mut self, depth: usize) -> String {
        match self.rng.below(8) {
            0 => "null".to_owned(),
            1 => self.object(depth - 1),
            2 if self.rng.one_in(6) => "\"text\"".to_owned(),
            _ => self.number(),
        }
    }

    fn text(&mut self) -> String {
        let tame = ["a", "b", "cold brew", "x:y", "12", ""];
        let wild = [
            "caf\\u00e9",
            "☕",
            " 12 ",
            "a\\\\b",
            "tab\\there",
            "\\ud83d\\ude00",
            "01",
            "00012",
            "q\\\"q",
            "nul\\u0000l",
        ];
        let text = if self.wild && self.rng.one_in(2) {
            self.rng.pick(&wild)
        } else {
            self.rng.pick(&tame)
        };
        text.to_owned()
    }

    fn number(&mut self) -> String {
        if self.wild && self.rng.one_in(3) {
            let wild = [
                "1e10",
                "-1e10",
                "1e-10",
                "1e20",
                "-3e-20",
                "1e-40",
                "1e30",
                "3.4e38",
                "1e-45",
                "0.0",
                "-0.0",
                "1E+2",
                "123456789",
                "4294967296",
                "9007199254740993",
                "0.1234567890123456789",
                "-7",
                "1e3",
            ];
            return self.rng.pick(&wild).to_owned();
        }
        match self.rng.below(4) {
            0 => self.rng.below(5).to_string(),
            1 => format!("{:.3}", self.rng.unit() * 4.0 - 2.0),
            2 => format!("{}", self.rng.unit()),
            _ => self.rng.pick(&["0", "1", "0.5", "-1", "100", "2.5"]).to_owned(),
        }
    }

    fn slots(&mut self, number: usize, actions: usize) -> String {
        let slots = self.rng.between(1, actions.min(4));
        let multi: Vec<_> = (0..actions).map(|action| self.action(action)).collect();
        let (mut described, mut outcomes, mut left) =
            (Vec::new(), Vec::new(), (0..actions).collect::<Vec<_>>());
        for _ in 0..slots {
            let included = self.included(&left, actions);
            let from: Vec<_> = left
                .iter()
                .copied()
                .filter(|a| included.is_empty() || included.contains(a))
                .collect();
            described.push(self.slot(&included));
            let chosen = if from.is_empty() || self.rng.one_in(12) {
                self.rng.below(actions + 1)
            } else {
                from[self.rng.below(from.len())]
            };
            left.retain(|action| *action != chosen);
            outcomes.push(self.outcome(chosen, &from));
        }
        let shared = self.context();
        let mut content =
            vec![format!("\"_multi\":[{}],\"_slots\":[{}]", multi.join(","), described.join(","))];
        if !shared.is_empty() {
            let at = self.rng.below(2);
            content.insert(at, shared);
        }
        let pdrop = if self.rng.one_in(8) { "\"pdrop\":0.5," } else { "" };
        let ranked = if self.rng.one_in(4) { "\"a\":[1]," } else { "" };
        let outcomes = if self.rng.one_in(12) {
            String::new()
        } else {
            format!(",\"_outcomes\":[{}]", outcomes.join(","))
        };
        format!(
            "{{\"EventId\":\"e{number}\",{ranked}{pdrop}\"c\":{{{}}}{outcomes}}}",
            content.join(",")
        )
    }

    fn slot(&mut self, included: &[usize]) -> String {
        let mut members = Vec::new();
        if self.rng.one_in(2) {
            members.push(format!("\"s\":{}", self.namespace()));
        }
        if self.rng.one_in(4) {
            members.push(self.member(1));
        }
        if !included.is_empty() {
            members.push(format!("\"_inc\":[{}]", list(included.iter())));
        }
        format!("{{{}}}", members.join(","))
    }

    fn included(&mut self, left: &[usize], actions: usize) -> Vec<usize> {
        if !self.rng.one_in(4) {
            return Vec::new();
        }
        let mut included: Vec<_> = left.iter().copied().filter(|_| self.rng.one_in(2)).collect();
        if self.rng.one_in(4) {
            included.push(self.rng.below(actions + 2));
        }
        included
    }

    fn outcome(&mut self, chosen: usize, from: &[usize]) -> String {
        if self.rng.one_in(10) {
            return "{}".to_owned();
        }
        let others: Vec<_> = from.iter().copied().filter(|action| *action != chosen).collect();
        let first = self.rng.pick(&["0.5", "0.05", "1", "0.25"]);
        let ranked = list(std::iter::once(chosen).chain(others.iter().copied()));
        let rest: String = others.iter().map(|_| ",0.1").collect();
        let cost = self.rng.pick(&["0", "-1", "1", "0.5", "-0.25"]);
        let cost =
            if self.rng.one_in(10) { String::new() } else { format!("\"_label_cost\":{cost},") };
        format!("{{{cost}\"_a\":[{ranked}],\"_p\":[{first}{rest}]}}")
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of actions")]
fn share(actions: usize) -> f64 {
    1.0 / actions as f64
}

fn list<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(",")
}
