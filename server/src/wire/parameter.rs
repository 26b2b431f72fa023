//! Parameters, those of an action among them. Whether they are allowed is the domain's question.

use parloir_proto::v1;

use crate::domain::{Parameter, request::ActionParameter};

pub fn parameters(parameters: &[Parameter]) -> Vec<v1::Parameter> {
    parameters
        .iter()
        .map(|parameter| v1::Parameter {
            key: parameter.key.clone(),
            value: parameter.value.clone(),
            personal: parameter.personal,
        })
        .collect()
}

pub fn read_parameters(parameters: Vec<v1::Parameter>) -> Vec<Parameter> {
    parameters
        .into_iter()
        .map(|parameter| Parameter {
            key: parameter.key,
            value: parameter.value,
            personal: parameter.personal,
        })
        .collect()
}

pub fn action_parameters(parameters: &[ActionParameter]) -> Vec<v1::ActionParameter> {
    parameters
        .iter()
        .map(|parameter| v1::ActionParameter {
            key: parameter.key.clone(),
            values: parameter.values.clone(),
            save_as: parameter.save_as.clone(),
            personal: parameter.personal,
        })
        .collect()
}

pub fn read_action_parameters(parameters: Vec<v1::ActionParameter>) -> Vec<ActionParameter> {
    parameters
        .into_iter()
        .map(|parameter| ActionParameter {
            key: parameter.key,
            values: parameter.values,
            save_as: parameter.save_as,
            personal: parameter.personal,
        })
        .collect()
}
