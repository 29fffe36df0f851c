package fewsh.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class SpreadTest {
    @Test
    void productsStayAndTurningTwiceGivesTheNumbersBack() {
        Random random = new Random(1);
        for (int columns : new int[] {1, 2, 20, 36, 48, 96, 384}) {
            int size = Spread.size(columns);
            assertEquals(0, columns % size);
            float[] a = new float[columns];
            float[] b = new float[columns];
            for (int i = 0; i < columns; i++) {
                a[i] = (float) random.nextGaussian();
                b[i] = (float) random.nextGaussian();
            }
            double before = dot(a, b);
            float[] turned = a.clone();
            Spread.apply(turned, size);
            Spread.apply(b, size);
            assertEquals(before, dot(turned, b), 1e-4);
            Spread.apply(turned, size);
            assertArrayEquals(a, turned, 1e-5f);
        }
    }

    @Test
    void aLargeNumberIsSharedOut() {
        float[] values = new float[32];
        values[5] = 32;
        Spread.apply(values, 32);
        for (float v : values) assertEquals(Math.sqrt(32), Math.abs(v), 1e-5);
        assertTrue(values[0] > 0);
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) sum += (double) a[i] * b[i];
        return sum;
    }
}
