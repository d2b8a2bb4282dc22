//! Inputs that may not be adopted.

use std::collections::BTreeMap;

use super::State;
use crate::journal::InputHash;

impl State {
    /// These hold. A run by other tests, rules or config says nothing of those that are held for it.
    pub(super) fn accept(&mut self, inputs: &[InputHash]) {
        self.accepted = inputs.iter().map(|input| (input.file.clone(), input.sha256.clone())).collect();
        self.held_inputs.retain(|file, _| !self.accepted.contains_key(file));
    }

    /// Only these are held, each with the hash as which it was accepted.
    pub(super) fn hold(&mut self, files: &[String]) {
        let known = self.accepted_as();
        let accepted = |file| known.get(file).map_or_else(String::new, |hash| (*hash).clone());
        self.held_inputs = files.iter().map(|file| (file.clone(), accepted(file))).collect();
    }

    /// The hash as which each input was accepted, those included that are held and none of the newest run's.
    pub fn accepted_as(&self) -> BTreeMap<&String, &String> {
        self.accepted.iter().chain(&self.held_inputs).collect()
    }
}
