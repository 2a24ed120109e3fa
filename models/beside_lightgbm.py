"""LightGBM beside ours, on the same features of the same rows.

    doorbuster train … --features-to train.csv
    doorbuster evaluate … --features-to test.csv
    pip install lightgbm scikit-learn
    python models/beside_lightgbm.py train.csv test.csv

Prints ROC-AUC, average precision and recall at 1% false positives: ours as evaluated, LightGBM as
it comes, and LightGBM with two settings that suit such data better.
"""

import sys

import lightgbm
import numpy
from sklearn.metrics import average_precision_score, roc_auc_score

SETTINGS = {
    "LightGBM, as it comes": {},
    "LightGBM, 300 trees, rate 0.03": {
        "n_estimators": 300, "learning_rate": 0.03, "min_child_samples": 100,
    },
    "LightGBM, 200 trees of 15 leaves, sampled": {
        "n_estimators": 200, "learning_rate": 0.05, "num_leaves": 15, "min_child_samples": 50,
        "subsample": 0.8, "subsample_freq": 1, "colsample_bytree": 0.5, "reg_lambda": 5,
    },
}


def read(path):
    return numpy.loadtxt(path, delimiter=",", skiprows=1, dtype=numpy.float32)


def recall(frauds, scores):
    ranked = frauds[numpy.argsort(-scores, kind="stable")]
    good, hits = numpy.cumsum(1 - ranked), numpy.cumsum(ranked)
    return hits[good <= 0.01 * good[-1]].max() / hits[-1]


def show(name, frauds, scores):
    auc = roc_auc_score(frauds, scores)
    precision = average_precision_score(frauds, scores)
    print(f"{name:42} {auc:.4f} {precision:.4f} {recall(frauds, scores):.4f}", flush=True)


def main():
    train, test = read(sys.argv[1]), read(sys.argv[2])
    frauds, ours, features = test[:, 0], test[:, 1], test[:, 2:]
    show("ours", frauds, ours)
    for name, settings in SETTINGS.items():
        model = lightgbm.LGBMClassifier(n_jobs=1, random_state=1, verbose=-1, **settings)
        model.fit(train[:, 1:], train[:, 0])
        show(name, frauds, model.predict_proba(features)[:, 1])


main()
