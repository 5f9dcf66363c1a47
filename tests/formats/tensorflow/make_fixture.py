"""Writes the SavedModels that the TensorFlow tests read, with TensorFlow: python make_fixture.py

counter/: a TF2 module whose variables share a name, with a string variable; shards/: a v1 model with a partitioned variable.
"""
import pathlib
import shutil

import tensorflow as tf

HERE = pathlib.Path(__file__).parent


class Counter(tf.Module):
    def __init__(self):
        super().__init__()
        self.first = tf.Variable([1.0, 2.0], name="same")
        self.second = tf.Variable([10.0, 20.0], name="same")
        self.words = tf.Variable(["a", "", "longer"], name="words")

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
    def __call__(self, x):
        return {"sum": x * self.first + self.second, "words": self.words.read_value()}


def save_counter():
    folder = HERE / "counter"
    shutil.rmtree(folder, ignore_errors=True)
    module = Counter()
    tf.saved_model.save(module, str(folder), signatures=module.__call__)
    (folder / "fingerprint.pb").unlink(missing_ok=True)
    shutil.rmtree(folder / "assets", ignore_errors=True)


def save_shards():
    folder = HERE / "shards"
    shutil.rmtree(folder, ignore_errors=True)
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.int32, [None], name="ids")
        table = v1.get_variable("table", initializer=tf.reshape(tf.range(10, dtype=tf.float32), [5, 2]),
                                partitioner=v1.fixed_size_partitioner(2, 0), use_resource=False)
        y = tf.gather(tf.convert_to_tensor(table), x, name="rows")
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(folder), {"ids": x}, {"rows": y})


save_counter()
save_shards()
