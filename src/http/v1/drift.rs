//! `/v1/models/drift`: whether orders still look like those the live model was trained on.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    fraud::drift::{ACT, Reading, WATCH, counts::LEAST},
    http::{caller::Caller, door::Door},
};

#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct DriftView<'a> {
    /// The live model; none while there is none.
    model: Option<&'a str>,
    /// Orders of the last seven days that were counted: of any ten minutes the first 300, the same
    /// at every replica.
    orders: u32,
    /// Fewer say nothing.
    orders_needed: u32,
    /// Orders the training saw; none when it left no reference.
    trained_on: Option<f64>,
    bars: [f64; 2],
    score: Option<FigureView<'a>>,
    /// Those that drifted most first.
    features: Vec<FigureView<'a>>,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct FigureView<'a> {
    name: &'a str,
    psi: f64,
    state: &'static str,
}

impl<'a> FigureView<'a> {
    fn of(name: &'a str, psi: f64) -> Self {
        Self { name, psi, state: Reading::word(psi) }
    }
}

/// Shows the population stability index of the score and of every feature.
pub async fn get(door: web::Data<Door>, _caller: Caller) -> HttpResponse {
    let bench = door.desk.fraud.bench();
    let (serving, reading) = (bench.serving(), bench.drift());
    let figures = reading.iter().flat_map(|reading| &reading.features);
    HttpResponse::Ok().json(DriftView {
        model: serving.version(),
        orders: reading.as_ref().map_or(0, |reading| reading.orders),
        orders_needed: LEAST,
        trained_on: reading.as_ref().map(|reading| reading.trained_on),
        bars: [WATCH, ACT],
        score: reading
            .as_ref()
            .and_then(|reading| reading.score_psi)
            .map(|psi| FigureView::of("score", psi)),
        features: figures.map(|figure| FigureView::of(&figure.name, figure.psi)).collect(),
    })
}
