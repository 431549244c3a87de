/** Tests of the streams module: order, formats, cache, decoding, augmentation and the pipeline. */
package io.rasterflow.tests.streams;
