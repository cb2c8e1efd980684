//! Problems raised with the department, each with an answer due (BB-4.2d).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    casework::v1::{
        AnswerProblemRequest, Case, Clock, ClockName, Problem, ProblemAnswered, ProblemRaised,
        RaiseProblemRequest,
    },
    directory::v1::LimitOwner,
};

use super::{
    Act, Outside, clock,
    outside::{going_on, next_number},
};

/// Raises a problem with the department, with an answer due (BB-4.2d).
///
/// # Errors
/// OUT_OF_ORDER.
pub fn raise(
    case: &Case,
    request: &RaiseProblemRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    let number = next_number(&case.problems);
    let clock = Clock {
        id: format!("problem-{number}"),
        name: ClockName::Problem.into(),
        owner: LimitOwner::Department.into(),
        amount: request.amount,
        unit: request.unit,
        citation: "BB-4.2d".to_owned(),
        started_at: outside.at(),
        ..Clock::default()
    };
    Ok(vec![
        Act::ProblemRaised(ProblemRaised {
            problem: Some(Problem {
                number,
                department: case.department.clone(),
                text: request.text.clone(),
                raised_at: outside.at(),
                answer: String::new(),
                answered_at: None,
            }),
        }),
        clock::started(case, clock, outside)?,
    ])
}

/// Records the department's answer.
///
/// # Errors
/// PROBLEM_UNKNOWN, PROBLEM_ANSWERED.
pub fn answer(
    case: &Case,
    request: &AnswerProblemRequest,
    _: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    let problem = case
        .problems
        .iter()
        .find(|p| p.number == request.number)
        .ok_or_else(|| {
            Refusal::not_found(
                "PROBLEM_UNKNOWN",
                "BB-4.2d",
                "没有该协调问题",
                "there is no such problem",
            )
        })?;
    if problem.answered_at.is_some() {
        return Err(Refusal::precondition(
            "PROBLEM_ANSWERED",
            "BB-4.2d",
            "该问题已答复",
            "it was answered already",
        ));
    }
    let mut acts = vec![Act::ProblemAnswered(ProblemAnswered {
        number: request.number,
        answer: request.answer.clone(),
    })];
    acts.extend(clock::ended(
        case,
        &format!("problem-{}", request.number),
        None,
    ));
    Ok(acts)
}
