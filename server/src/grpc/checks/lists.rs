//! Checks of repeated fields: how many, and each one by its index.

use parloir_proto::v1;

use super::Checks;
use crate::{
    domain::{Id, Parameter, parameter::MAX_PARAMETERS},
    wire::parameter::read_parameters,
};

/// The most entries of a list in a filter. Each is compared with every event or row.
const MAX_LISTED: usize = 1000;

impl Checks {
    /// Parameters, each by the domain's rule.
    pub fn parameters(
        &mut self,
        field: &str,
        parameters: Vec<v1::Parameter>,
    ) -> Option<Vec<Parameter>> {
        if parameters.len() > MAX_PARAMETERS {
            self.wrong(field, format!("must be at most {MAX_PARAMETERS}"));
            return None;
        }
        let parameters = read_parameters(parameters);
        for (index, parameter) in parameters.iter().enumerate() {
            self.rule(parameter.check(&format!("{field}[{index}]")));
        }
        Some(parameters)
    }

    /// Ids of a filter; none is all.
    pub fn ids(&mut self, field: &str, texts: &[String]) -> Option<Vec<Id>> {
        self.each(field, texts, |checks, field, text| checks.id(field, text))
    }

    /// Values of an enumeration in a filter; none is all. The unspecified and unknown ones are refused: read as
    /// absent, they would widen the filter without a word.
    pub fn values<T>(
        &mut self,
        field: &str,
        numbers: &[i32],
        read: fn(i32) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.each(field, numbers, |checks, field, number| {
            checks.value(field, *number, read)
        })
    }

    /// One value of an enumeration.
    pub fn value<T>(&mut self, field: &str, number: i32, read: fn(i32) -> Option<T>) -> Option<T> {
        let value = read(number);
        if value.is_none() {
            self.wrong(field, format!("{number} is no value that can be asked for"));
        }
        value
    }

    fn each<S, T>(
        &mut self,
        field: &str,
        entries: &[S],
        check: impl Fn(&mut Self, &str, &S) -> Option<T>,
    ) -> Option<Vec<T>> {
        if entries.len() > MAX_LISTED {
            self.wrong(field, format!("must be at most {MAX_LISTED}"));
            return None;
        }
        let checked: Vec<_> = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| check(self, &format!("{field}[{index}]"), entry))
            .collect();
        checked.into_iter().collect()
    }
}
